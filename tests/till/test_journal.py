"""
The journal forgets nothing that it took, and takes nothing that it cannot keep.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from handsel.errors import ConfigError, InvariantBroken, StoreCorrupt, StoreError, StoreFull
from handsel.notes.mint import NoteSecret
from handsel.till.acquirer import ReceiptBrought
from handsel.till.journal import ENTRIES_MAX, RESERVED_MAX, VERSION, ChargeEntry, Journal, ReceiptEntry
from tests.till.fakes import COFFEE, full_disk


def entry(number: int = 1) -> ChargeEntry:
    """
    Return the entry of some charge.
    """
    return ChargeEntry(
        f"{number:032x}", COFFEE, 1_700_000_000_000, (NoteSecret("key", bytes([number % 256]) * 32, bytes(256)),)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Return where a journal can be.
    """
    return tmp_path / "till" / "journal.json"


def test_what_was_added_is_there_after_a_restart(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    journal.add(entry(2))

    assert (entry(1), entry(2)) == Journal.open(path).entries() == journal.entries()


def test_what_was_closed_is_gone_after_a_restart(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    journal.add(entry(2))
    journal.close(entry(1).charge_id)

    assert (entry(2),) == Journal.open(path).entries() == journal.entries()
    assert b"AQEB" not in path.read_bytes()  # The first one's serial, in base64.


def test_closing_what_is_not_there_changes_nothing(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    journal.close("f" * 32)

    assert (entry(1),) == journal.entries()


def test_what_has_reserved_is_kept_until_it_is_closed(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    journal.add(entry(2))
    journal.move_to_reserved(entry(1).charge_id)
    journal.move_to_reserved("f" * 32)

    again = Journal.open(path)
    assert (again.entries(), again.reserved()) == ((entry(2),), (entry(1),)) == (journal.entries(), journal.reserved())
    receipt = ReceiptEntry(entry(1).charge_id, ReceiptBrought("a" * 32, b"s", b"l"), 5)
    again.close(entry(1).charge_id, receipt)
    assert (Journal.open(path).reserved(), Journal.open(path).receipts()) == ((), (receipt,))
    again.drop_receipt(entry(1).charge_id)
    assert Journal.open(path).entries() == (entry(2),)


def test_of_too_many_that_have_reserved_the_oldest_are_given_up(path: Path) -> None:
    Journal.open(path)
    held = tuple(entry(number) for number in range(RESERVED_MAX))
    journal = Journal(path, (entry(RESERVED_MAX),), (), held)

    journal.move_to_reserved(entry(RESERVED_MAX).charge_id)

    assert journal.reserved() == (*held[1:], entry(RESERVED_MAX)) == Journal.open(path).reserved()


def test_on_a_full_disk_what_has_reserved_stays_open(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    with full_disk(), pytest.raises(StoreFull):
        journal.move_to_reserved(entry(1).charge_id)

    assert (journal.entries(), journal.reserved()) == ((entry(1),), ())


@pytest.mark.parametrize("version", [2, 3])
def test_a_version_before_is_read_and_written_as_this_one(path: Path, version: int) -> None:
    Journal.open(path).add(entry(1))
    held = json.loads(path.read_bytes())
    before = {"version": version, "entries": held["entries"]} | ({"receipts": []} if version > 2 else {})
    path.write_text(json.dumps(before))

    journal = Journal.open(path)
    journal.move_to_reserved(entry(1).charge_id)

    assert json.loads(path.read_bytes())["version"] == VERSION
    assert Journal.open(path).reserved() == (entry(1),)


def test_a_code_of_before_leads_to_no_order_any_more_and_is_dropped(path: Path) -> None:
    journal = Journal.open(path)
    coded = [replace(entry(number), return_code="abcdefghij234567abcd") for number in (1, 2)]
    for each in coded:
        journal.add(each)
    journal.move_to_reserved(coded[0].charge_id)
    assert Journal.open(path).entries() == (coded[1],)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "version": 4}))

    before = Journal.open(path)

    assert (before.reserved(), before.entries()) == ((entry(1),), (entry(2),))


def test_the_file_and_its_directory_are_the_owners_alone(path: Path) -> None:
    Journal.open(path).add(entry())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [path] == list(path.parent.iterdir())


def test_a_file_or_directory_open_to_others_is_refused(path: Path) -> None:
    Journal.open(path).add(entry())
    path.chmod(0o640)
    with pytest.raises(ConfigError):
        Journal.open(path)
    path.chmod(0o600)
    path.parent.chmod(0o750)
    with pytest.raises(ConfigError):
        Journal.open(path)
    path.parent.chmod(0o700)
    assert Journal.open(path).entries() == (entry(),)


@pytest.mark.parametrize("content", [b"", b"{", b'{"version":1}', b'{"version":1,"entries":[],"more":1}', b"\xff\xfe"])
def test_a_file_that_is_no_journal_is_not_overwritten(path: Path, content: bytes) -> None:
    Journal.open(path)
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(StoreCorrupt):
        Journal.open(path)
    assert content == path.read_bytes()


def test_another_version_is_not_overwritten(path: Path) -> None:
    Journal.open(path)
    path.write_bytes(b'{"version":1,"entries":[]}')
    path.chmod(0o600)

    with pytest.raises(StoreCorrupt):
        Journal.open(path)


def test_a_full_disk_keeps_what_was_there(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    with full_disk(), pytest.raises(StoreFull):
        journal.add(entry(2))

    assert (entry(1),) == journal.entries() == Journal.open(path).entries()
    assert [path] == list(path.parent.iterdir())
    journal.add(entry(2))
    assert (entry(1), entry(2)) == Journal.open(path).entries()


def test_an_entry_that_could_not_be_closed_is_still_there(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    with full_disk(), pytest.raises(StoreFull):
        journal.close(entry(1).charge_id)

    assert (entry(1),) == journal.entries() == Journal.open(path).entries()


def test_a_directory_that_is_gone_is_an_error_and_not_a_crash(path: Path) -> None:
    journal = Journal.open(path)
    path.parent.rmdir()

    with pytest.raises(StoreError):
        journal.add(entry())
    assert journal.entries() == ()


def test_what_a_crash_left_half_written_is_not_read(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))
    path.with_name("journal.json.new").write_bytes(b'{"vers')

    assert (entry(1),) == Journal.open(path).entries()
    Journal.open(path).add(entry(2))
    assert [path] == list(path.parent.iterdir())


def test_a_charge_is_begun_once(path: Path) -> None:
    journal = Journal.open(path)
    journal.add(entry(1))

    with pytest.raises(InvariantBroken):
        journal.add(entry(1))


def test_a_journal_takes_so_many_and_no_more(path: Path) -> None:
    Journal.open(path)
    journal = Journal(path, tuple(entry(number) for number in range(ENTRIES_MAX - 1)))
    journal.add(entry(ENTRIES_MAX - 1))

    with pytest.raises(StoreFull):
        journal.add(entry(ENTRIES_MAX))
    journal.close(entry(0).charge_id)
    journal.add(entry(ENTRIES_MAX))


def test_an_entry_prints_nothing() -> None:
    assert repr(entry()) == "ChargeEntry()"
