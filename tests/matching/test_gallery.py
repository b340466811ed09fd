"""
Promises of the gallery: what was told is on disk, what was erased is gone, and what is damaged is not used.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import (
    ConfigError,
    GalleriesDiffer,
    GalleryCorrupt,
    GalleryFull,
    IdReused,
    NotFound,
    PeerCheated,
    StoreError,
    StoreFull,
)
from handsel.matching import gallery_file
from handsel.matching.entry import ACTIVE, ERASED, PENDING, Entry
from handsel.matching.gallery import PENDING_S_MAX, Gallery
from handsel.matching.gallery_file import FILE_NAME
from handsel.matching.kept import Kept, Shares
from handsel.matching.renewing import LONG_AGO_MS
from handsel.matching.rows import Rows, from_planes
from tests.matching import ordered
from tests.matching.ordered import a_gallery, abort, commit, erase
from tests.matching.vouched import VOUCHERS

PALMS_MAX = 10
DIMS = 64
NOW_MS = 1_000_000


def an_id() -> bytes:
    """
    Return a fresh enrolment id.
    """
    return os.urandom(16)


def some_shares() -> Shares:
    """
    Return random shares.
    """
    return Shares(os.urandom(2 * DIMS), os.urandom(16), os.urandom(16))


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """
    An empty gallery.
    """
    opened = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)
    yield opened
    opened.close()


def _reopened(gallery: Gallery, directory: Path) -> Gallery:
    gallery.close()
    return a_gallery(directory, me="a", dims=DIMS, palms_max=PALMS_MAX)


def _held(rows: Rows) -> list[Shares]:
    """
    Return the shares of all rows, without the padding.
    """
    found = []
    for _, segment in rows.placed():
        columns = (segment.templates, from_planes(segment.own), from_planes(segment.pair))
        found += [Shares(*(part.tobytes() for part in row)) for row in zip(*columns, strict=True)]
    return found[: rows.count]


def _enrolled(gallery: Gallery, *, position: int, shares: Shares | None = None) -> bytes:
    enrolment = an_id()
    gallery.keep_pending([(enrolment, shares or some_shares(), VOUCHERS)], now_ms=NOW_MS)
    commit(gallery, enrolment, position=position)
    return enrolment


def _bytes_on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_pending_row_is_not_matched(gallery: Gallery) -> None:
    gallery.keep_pending([(an_id(), some_shares(), VOUCHERS)], now_ms=NOW_MS)

    assert gallery.rows().count == 0


def test_committed_row_holds_what_was_enrolled(gallery: Gallery) -> None:
    shares = some_shares()

    _enrolled(gallery, position=1, shares=shares)

    rows = gallery.rows()
    assert (1, [shares]) == (rows.count, _held(rows))


def test_rows_stand_in_the_order_of_their_positions_whenever_they_came(gallery: Gallery) -> None:
    third, first, second = (_enrolled(gallery, position=position) for position in (30, 10, 20))

    assert [first, second, third] == [row.tobytes() for row in gallery.rows().ids]


def test_rows_are_the_same_after_a_restart(gallery: Gallery, tmp_path: Path) -> None:
    for position in (3, 1, 2):
        _enrolled(gallery, position=position)
    erase(gallery, _enrolled(gallery, position=4), now_ms=NOW_MS)
    before, entries = gallery.rows(), gallery.entries()

    after = _reopened(gallery, tmp_path / "a")

    assert before.digest == after.rows().digest
    assert _held(before) == _held(after.rows())
    assert entries == after.entries()
    after.close()


def test_rows_that_a_query_holds_do_not_change(gallery: Gallery) -> None:
    enrolment = _enrolled(gallery, position=1)
    held = gallery.rows()
    before = _held(held)

    erase(gallery, enrolment, now_ms=NOW_MS)
    _enrolled(gallery, position=2)

    assert before == _held(held)


def test_commit_may_be_repeated_but_not_moved(gallery: Gallery) -> None:
    enrolment = _enrolled(gallery, position=1)

    commit(gallery, enrolment, position=1)

    assert gallery.rows().count == 1
    with pytest.raises(IdReused):
        commit(gallery, enrolment, position=2)


def test_commit_at_a_position_that_is_taken_changes_nothing(gallery: Gallery) -> None:
    _enrolled(gallery, position=1)
    enrolment = an_id()
    gallery.keep_pending([(enrolment, some_shares(), VOUCHERS)], now_ms=NOW_MS)

    with pytest.raises(IdReused):
        commit(gallery, enrolment, position=1)

    commit(gallery, enrolment, position=2)
    assert gallery.rows().count == 2


def test_commit_of_what_is_unknown_aborted_or_erased_is_not_found(gallery: Gallery) -> None:
    aborted, erased = an_id(), _enrolled(gallery, position=1)
    gallery.keep_pending([(aborted, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    abort(gallery, aborted, now_ms=NOW_MS)
    erase(gallery, erased, now_ms=NOW_MS)

    for enrolment in (an_id(), aborted, erased):
        with pytest.raises(NotFound):
            commit(gallery, enrolment, position=5)


def test_abort_of_an_active_row_is_not_found_and_leaves_it(gallery: Gallery) -> None:
    enrolment = _enrolled(gallery, position=1)

    with pytest.raises(NotFound):
        abort(gallery, enrolment, now_ms=NOW_MS)

    assert gallery.rows().count == 1


def test_enrolment_that_was_aborted_before_it_came_stays_out(gallery: Gallery) -> None:
    enrolment = an_id()
    abort(gallery, enrolment, now_ms=NOW_MS)
    abort(gallery, enrolment, now_ms=NOW_MS)

    with pytest.raises(IdReused):
        gallery.keep_pending([(enrolment, some_shares(), VOUCHERS)], now_ms=NOW_MS)


def test_enrolment_may_be_repeated_with_the_same_shares_only(gallery: Gallery) -> None:
    enrolment, shares = an_id(), some_shares()
    gallery.keep_pending([(enrolment, shares, VOUCHERS)], now_ms=NOW_MS)

    gallery.keep_pending([(enrolment, shares, VOUCHERS)], now_ms=NOW_MS)

    assert (Entry(enrolment, PENDING, None),) == gallery.entries()
    with pytest.raises(IdReused):
        gallery.keep_pending([(enrolment, some_shares(), VOUCHERS)], now_ms=NOW_MS)


def test_enrolment_that_is_active_or_erased_is_refused(gallery: Gallery) -> None:
    shares = some_shares()
    enrolment = _enrolled(gallery, position=1, shares=shares)

    with pytest.raises(IdReused):
        gallery.require_enrollable(enrolment, shares)
    erase(gallery, enrolment, now_ms=NOW_MS)
    with pytest.raises(IdReused):
        gallery.require_enrollable(enrolment, shares)


def test_erased_shares_are_nowhere_on_disk(gallery: Gallery, tmp_path: Path) -> None:
    shares, kept = some_shares(), some_shares()
    _enrolled(gallery, position=1, shares=kept)
    enrolment = _enrolled(gallery, position=2, shares=shares)
    assert shares.template in _bytes_on_disk(tmp_path / "a")

    erase(gallery, enrolment, now_ms=NOW_MS)
    erase(gallery, enrolment, now_ms=NOW_MS)

    disk = _bytes_on_disk(tmp_path / "a")
    assert not any(share in disk for share in (shares.template, shares.own, shares.pair))
    assert kept.template in disk
    assert ordered.erased(enrolment) in gallery.entries()
    assert gallery.rows().count == 1


def test_pending_row_is_dropped_once_it_is_too_old(gallery: Gallery, tmp_path: Path) -> None:
    enrolment, shares = an_id(), some_shares()
    gallery.keep_pending([(enrolment, shares, VOUCHERS)], now_ms=NOW_MS)

    gallery.drop_expired(now_ms=NOW_MS + PENDING_S_MAX * 1000)
    assert len(gallery.entries()) == 1

    gallery.drop_expired(now_ms=NOW_MS + PENDING_S_MAX * 1000 + 1)
    assert gallery.entries() == ()
    assert shares.template not in _bytes_on_disk(tmp_path / "a")


def test_active_row_is_never_too_old(gallery: Gallery) -> None:
    _enrolled(gallery, position=1)

    gallery.drop_expired(now_ms=NOW_MS * 1_000_000)

    assert gallery.rows().count == 1


def test_rows_advance_to_what_they_are_at_a_peer(gallery: Gallery) -> None:
    waits, holds, unknown = an_id(), _enrolled(gallery, position=1), an_id()
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    theirs = {ordered.active(waits, 2), ordered.erased(holds), ordered.erased(unknown)}

    gallery.advance(theirs, now_ms=NOW_MS)

    assert theirs == set(gallery.entries())
    assert [waits] == [row.tobytes() for row in gallery.rows().ids]


def test_rows_never_go_back(gallery: Gallery) -> None:
    erased, active = _enrolled(gallery, position=1), _enrolled(gallery, position=2)
    erase(gallery, erased, now_ms=NOW_MS)
    before = gallery.entries()

    gallery.advance((ordered.active(erased, 1), Entry(active, PENDING, None)), now_ms=NOW_MS)

    assert before == gallery.entries()


def test_row_that_never_came_here_cannot_become_active(gallery: Gallery) -> None:
    waits = an_id()
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)

    with pytest.raises(GalleriesDiffer):
        gallery.advance((ordered.active(waits, 1), ordered.active(an_id(), 2)), now_ms=NOW_MS)

    assert gallery.rows().count == 0
    assert (Entry(waits, PENDING, None),) == gallery.entries()


def test_row_cannot_advance_to_a_position_that_is_taken(gallery: Gallery) -> None:
    _enrolled(gallery, position=1)
    waits = an_id()
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)

    with pytest.raises(GalleriesDiffer):
        gallery.advance((ordered.active(waits, 1),), now_ms=NOW_MS)


def test_peer_that_shows_no_order_changes_nothing(gallery: Gallery) -> None:
    waits, holds = an_id(), _enrolled(gallery, position=1)
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    before = gallery.entries()

    for good, wrong in (
        (ordered.active(waits, 2), Entry(holds, ERASED, None)),
        (ordered.erased(holds), Entry(waits, ACTIVE, 2)),
    ):
        with pytest.raises(GalleriesDiffer, match="no order"):
            gallery.advance((good, wrong), now_ms=NOW_MS)
    gallery.advance((Entry(an_id(), ERASED, None),), now_ms=NOW_MS)  # Nobody here asks what it was.

    assert before == gallery.entries()


def test_peer_that_shows_a_wrong_order_changes_nothing(gallery: Gallery) -> None:
    waits, holds = an_id(), _enrolled(gallery, position=1)
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    before = gallery.entries()

    for order in (
        ordered.signed("erase", holds, by=ordered.STRANGER),
        ordered.signed("erase", waits),
        ordered.signed("commit", holds, position=1),
        ordered.signed("abort", holds),
    ):
        with pytest.raises(PeerCheated):
            gallery.advance((ordered.active(waits, 2), Entry(holds, ERASED, None, order)), now_ms=NOW_MS)

    assert before == gallery.entries()
    assert gallery.rows().count == 1


def test_rows_keep_the_order_that_brought_them_there_also_in_blocks(tmp_path: Path) -> None:
    gallery = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=200)
    numbers = [_enrolled(gallery, position=position) for position in range(1, 131)]
    aborted = an_id()
    abort(gallery, aborted, now_ms=NOW_MS)
    erase(gallery, numbers[0], now_ms=NOW_MS)
    gallery.close()

    after = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=200)

    expected = {ordered.active(one, position) for position, one in enumerate(numbers[1:], start=2)}
    ended = Entry(aborted, ERASED, None, ordered.signed("abort", aborted))
    assert expected | {ordered.erased(numbers[0]), ended} == set(after.entries())
    after.close()


def test_row_of_an_earlier_version_is_held_and_gets_its_order_when_that_comes_again(
    gallery: Gallery, tmp_path: Path
) -> None:
    shares, holds, erased = some_shares(), an_id(), an_id()
    gallery.close()
    (tmp_path / "a" / FILE_NAME).unlink()
    _write_version_2(tmp_path / "a", holds, erased, shares)

    after = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)
    before = set(after.entries())
    commit(after, holds, position=1)
    erase(after, erased, now_ms=NOW_MS)

    assert {Entry(holds, ACTIVE, 1), Entry(erased, ERASED, None)} == before
    assert {ordered.active(holds, 1), ordered.erased(erased)} == set(after.entries())
    assert _held(after.rows()) == [shares]
    after.close()


@pytest.mark.parametrize("count", [0, 70])
def test_gallery_of_the_version_before_keeps_its_rows_and_is_renewed_next(
    gallery: Gallery, tmp_path: Path, count: int
) -> None:
    """
    Nobody has vouched for its rows yet. One without rows has nothing to renew.
    """
    gallery.close()
    gallery = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=1000)
    shares = [some_shares() for _ in range(count)]
    for position, one in enumerate(shares):
        _enrolled(gallery, position=position, shares=one)
    waits = an_id()
    gallery.keep_pending([(waits, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    gallery.close()
    _make_version_5(tmp_path / "a")

    after = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=1000)

    assert _held(after.rows()) == shares
    assert after.vouchers(0, count, chain=b"") == {}
    assert after.renewing.since_ms() == (LONG_AGO_MS if count else NOW_MS)
    commit(after, waits, position=count)
    enrolment = _enrolled(after, position=count + 1)
    assert after.vouchers(0, count + 1, chain=b"") == {count + 1: VOUCHERS}
    erase(after, enrolment, now_ms=NOW_MS)
    after.close()


def _make_version_5(directory: Path) -> None:
    with sqlite3.connect(directory / FILE_NAME) as connection:
        connection.executescript(
            f"DROP TABLE vouchers; DROP TABLE renewed_vouchers; UPDATE renewals SET since_ms = {NOW_MS};"  # noqa: S608
            "PRAGMA user_version = 5;"
        )
    connection.close()


def _write_version_2(directory: Path, holds: bytes, erased: bytes, shares: Shares) -> None:
    """
    Write a gallery as version 2 did, with two rows.
    """
    with sqlite3.connect(directory / FILE_NAME) as connection:
        connection.executescript(gallery_file._SCHEMA + "PRAGMA user_version = 2;")
        kept = Kept(holds, ACTIVE, 1, NOW_MS, is_sealed=False, shares=shares)
        row = (shares.template, shares.own, shares.pair, kept.checksum())
        connection.execute("INSERT INTO rows VALUES (?, 2, 1, ?, 0, ?, ?, ?, ?)", (holds, NOW_MS, *row))
        gone = Kept(erased, ERASED, None, NOW_MS, is_sealed=False, shares=None)
        connection.execute(
            "INSERT INTO rows VALUES (?, 3, NULL, ?, 0, NULL, NULL, NULL, ?)", (erased, NOW_MS, gone.checksum())
        )
    connection.close()
    (directory / FILE_NAME).chmod(0o600)


def test_shares_of_another_length_are_refused(gallery: Gallery) -> None:
    good = some_shares()

    for wrong in (
        Shares(good.template[:-1], good.own, good.pair),
        Shares(good.template, good.own[:-1], good.pair),
        Shares(good.template, good.own, good.pair + b"\0"),
    ):
        with pytest.raises(GalleryCorrupt):
            gallery.keep_pending([(an_id(), wrong, VOUCHERS)], now_ms=NOW_MS)


def test_full_disk_is_said_and_changes_nothing(gallery: Gallery, tmp_path: Path) -> None:
    enrolment = an_id()
    gallery.keep_pending([(enrolment, some_shares(), VOUCHERS)], now_ms=NOW_MS)
    pages = gallery._stored._connection.execute("PRAGMA page_count").fetchone()[0]
    gallery._stored._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    before = gallery.entries()

    with pytest.raises(StoreFull):
        gallery.keep_pending([(an_id(), some_shares(), VOUCHERS) for _ in range(100)], now_ms=NOW_MS)

    assert before == gallery.entries()
    gallery._stored._connection.execute("PRAGMA max_page_count = 100000").fetchall()
    commit(gallery, enrolment, position=1)
    assert gallery.rows().count == 1
    after = _reopened(gallery, tmp_path / "a")
    assert after.rows().count == 1
    after.close()


def _tamper(directory: Path, change: str) -> None:
    with sqlite3.connect(directory / FILE_NAME) as connection:
        connection.execute(change)
    connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rows SET template = zeroblob(128)",
        "UPDATE rows SET own = zeroblob(16)",
        "UPDATE rows SET pair = own",
        "UPDATE rows SET position = 9",
        "UPDATE rows SET position = NULL",
        "UPDATE rows SET state = 3",
        "UPDATE rows SET state = 7",
        "UPDATE rows SET enrolment_id = zeroblob(16)",
        "UPDATE rows SET enrolment_id = zeroblob(15)",
        "UPDATE rows SET kept_at_ms = 0",
        "UPDATE rows SET order_body = NULL, order_signature = NULL",
        "UPDATE rows SET order_signature = NULL",
        "UPDATE rows SET order_body = zeroblob(length(order_body))",
        "UPDATE rows SET template = NULL",
        "UPDATE rows SET template = NULL, own = NULL, pair = NULL",
        "UPDATE rows SET checksum = zeroblob(32)",
    ],
)
def test_row_that_was_changed_stops_the_start(gallery: Gallery, tmp_path: Path, change: str) -> None:
    _enrolled(gallery, position=1)
    gallery.close()

    _tamper(tmp_path / "a", change)

    with pytest.raises(GalleryCorrupt):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_file_that_is_no_gallery_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / FILE_NAME).write_bytes(b"not a database, though long enough to be looked at" * 100)
    (tmp_path / "a" / FILE_NAME).chmod(0o600)

    with pytest.raises(GalleryCorrupt):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_gallery_of_another_model_stops_the_start(gallery: Gallery, tmp_path: Path) -> None:
    _enrolled(gallery, position=1)
    gallery.close()

    with pytest.raises(GalleryCorrupt):
        a_gallery(tmp_path / "a", me="a", dims=DIMS + 2, palms_max=PALMS_MAX)


def test_gallery_of_another_version_stops_the_start(gallery: Gallery, tmp_path: Path) -> None:
    gallery.close()
    _tamper(tmp_path / "a", "PRAGMA user_version = 99")

    with pytest.raises(ConfigError):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_directory_and_every_file_are_the_owner_s_alone(gallery: Gallery, tmp_path: Path) -> None:
    _enrolled(gallery, position=1)

    places = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    files = [path for path in places if path.is_file()]
    assert {FILE_NAME, FILE_NAME + "-wal", "templates", "own", "pair"} == {path.name for path in files}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
    assert {0o700} == {stat.S_IMODE(path.stat().st_mode) for path in places if path.is_dir()}


@pytest.mark.parametrize("place", ["a", f"a/{FILE_NAME}"])
def test_place_that_is_open_to_others_is_refused(gallery: Gallery, tmp_path: Path, place: str) -> None:
    gallery.close()
    (tmp_path / place).chmod(0o740)

    with pytest.raises(ConfigError, match="open to others"):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_directory_serves_one_process_at_a_time(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.matching.gallery_file.LOCK_WAIT_S", 0.0)

    with pytest.raises(ConfigError, match="another process"):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file stands here")

    with pytest.raises(ConfigError):
        a_gallery(tmp_path / "a" / "b", me="a", dims=DIMS, palms_max=PALMS_MAX)


def test_closed_gallery_says_so(gallery: Gallery) -> None:
    gallery.close()

    with pytest.raises(StoreError):
        gallery.entries()


def test_one_row_more_than_may_be_is_not_committed_until_another_is_erased(gallery: Gallery) -> None:
    first, *_ = (_enrolled(gallery, position=position) for position in range(1, PALMS_MAX + 1))
    one_more = an_id()
    gallery.keep_pending([(one_more, some_shares(), VOUCHERS)], now_ms=NOW_MS)

    commit(gallery, first, position=1)  # One that is active already stays so.
    with pytest.raises(GalleryFull):
        commit(gallery, one_more, position=PALMS_MAX + 1)
    assert gallery.rows().count == PALMS_MAX
    erase(gallery, first, now_ms=NOW_MS)
    commit(gallery, one_more, position=PALMS_MAX + 1)

    assert gallery.rows().count == PALMS_MAX


def test_a_gallery_that_holds_more_than_it_may_is_not_opened(gallery: Gallery, tmp_path: Path) -> None:
    for position in (1, 2):
        _enrolled(gallery, position=position)
    gallery.close()

    with pytest.raises(ConfigError, match="holds 2 palms and palms_max is 1"):
        a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=1)
    just_enough = a_gallery(tmp_path / "a", me="a", dims=DIMS, palms_max=2)

    assert just_enough.rows().count == 2
    just_enough.close()
