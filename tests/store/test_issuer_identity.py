"""
Promise that personal data is sealed, that it goes on its day, and that what was shredded cannot be read by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import BodyInvalid, ConfigError, InvariantBroken, StoreCorrupt
from handsel.ids import new_id
from handsel.store.database import Database
from handsel.store.issuer import add_wallet, open_issuer_database
from handsel.store.issuer_identity import (
    CONTENT_BYTES_MAX,
    RETENTION_MS,
    Basis,
    Identities,
    KeptRow,
    end_service,
    has_identities,
    kept_of,
    open_master_key,
    shred,
    shred_due,
)

NAME, IBAN = "Ada of the Analytical Engine", "DE00 1234 not a real one"
YEAR_MS = 365 * 24 * 3600 * 1000


@pytest.fixture
def database(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    The database of an issuer without wallets.
    """
    opened = open_issuer_database(tmp_path / "issuer" / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def identities() -> Identities:
    """
    What seals, with a master key of the test's own.
    """
    return Identities(bytes(range(32)))


def somebody(database: Database, identities: Identities) -> str:
    wallet_id = new_id()
    with database.unit_of_work() as uow:
        add_wallet(uow, wallet_id, key_digest=bytes.fromhex(wallet_id), currency="EUR", now_ms=1)
        identities.put(uow, wallet_id, kind="name", content=NAME, basis=Basis.LAW, now_ms=2)
        identities.put(uow, wallet_id, kind="iban", content=IBAN, basis=Basis.SERVICE, now_ms=3)
        uow.commit()
    return wallet_id


def contents(database: Database, identities: Identities, wallet_id: str) -> dict[str, str]:
    with database.unit_of_work() as uow:
        return {row.kind: row.content for row in identities.get(uow, wallet_id)}


def test_what_is_kept_is_read_again_and_replaced_as_a_whole(database: Database, identities: Identities) -> None:
    wallet_id, other = somebody(database, identities), somebody(database, identities)
    with database.unit_of_work() as uow:
        identities.put(uow, wallet_id, kind="name", content="Ada", basis=Basis.LAW, now_ms=4)
        uow.commit()

    assert contents(database, identities, wallet_id) == {"name": "Ada", "iban": IBAN}
    assert contents(database, identities, other) == {"name": NAME, "iban": IBAN}
    assert contents(database, identities, new_id()) == {}


def test_the_service_ends_and_the_law_has_five_years(database: Database, identities: Identities) -> None:
    wallet_id, other = somebody(database, identities), somebody(database, identities)
    with database.unit_of_work() as uow:
        end_service(uow, wallet_id, ended_at_ms=100, now_ms=100)
        end_service(uow, wallet_id, ended_at_ms=999, now_ms=999)
        kept = kept_of(uow, wallet_id)
        uow.commit()

    assert kept == (KeptRow("name", Basis.LAW, 100 + RETENTION_MS),)
    assert RETENTION_MS >= 5 * YEAR_MS
    assert contents(database, identities, wallet_id) == {"name": NAME}
    for now_ms, shredded, left in ((99 + RETENTION_MS, 0, {"name": NAME}), (100 + RETENTION_MS, 1, {})):
        with database.unit_of_work() as uow:
            assert shred_due(uow, now_ms=now_ms) == shredded
            uow.commit()
        assert contents(database, identities, wallet_id) == left
    assert contents(database, identities, other) == {"name": NAME, "iban": IBAN}
    with database.unit_of_work() as uow:
        rows = uow.rows("SELECT kind, length(sealed) > 0, wrapped_key, shredded_at_ms FROM identities ORDER BY kind, 4")
    assert [row for row in rows if row[2] is None] == [
        ("iban", True, None, 100),
        ("name", True, None, 100 + RETENTION_MS),
    ]


def test_one_kind_goes_when_it_is_no_longer_needed_unless_the_law_keeps_it(
    database: Database, identities: Identities
) -> None:
    wallet_id, other = somebody(database, identities), somebody(database, identities)
    with database.unit_of_work() as uow:
        shred(uow, wallet_id, kind="iban", now_ms=5)
        shred(uow, wallet_id, kind="mandate", now_ms=5)
        with pytest.raises(BodyInvalid, match="the law"):
            shred(uow, wallet_id, kind="name", now_ms=5)
        uow.commit()

    assert contents(database, identities, wallet_id) == {"name": NAME}
    assert contents(database, identities, other) == {"name": NAME, "iban": IBAN}


def test_a_row_may_have_a_day_of_its_own(database: Database, identities: Identities) -> None:
    wallet_id = somebody(database, identities)
    with database.unit_of_work() as uow:
        put = identities.put
        put(uow, wallet_id, kind="mandate", content="M-1", basis=Basis.LAW, now_ms=5, purge_at_ms=700)
        end_service(uow, wallet_id, ended_at_ms=100, now_ms=100)
        assert kept_of(uow, wallet_id)[0] == KeptRow("mandate", Basis.LAW, 700)
        assert (shred_due(uow, now_ms=699), shred_due(uow, now_ms=700)) == (0, 1)
        uow.commit()

    assert contents(database, identities, wallet_id) == {"name": NAME}


def test_another_master_key_and_another_row_open_nothing(database: Database, identities: Identities) -> None:
    wallet_id, other = somebody(database, identities), somebody(database, identities)

    with pytest.raises(StoreCorrupt):
        contents(database, Identities(bytes(32)), wallet_id)
    with database.unit_of_work() as uow:
        (sealed, wrapped) = uow.rows("SELECT sealed, wrapped_key FROM identities WHERE owner_id = ?", other)[0]
        uow.execute("UPDATE identities SET sealed = ?, wrapped_key = ? WHERE owner_id = ?", sealed, wrapped, wallet_id)
        with pytest.raises(StoreCorrupt):
            identities.get(uow, wallet_id)


@pytest.mark.sqlite
def test_no_file_holds_a_name_nor_after_shredding_the_key_to_it(
    database: Database, identities: Identities, tmp_path: Path
) -> None:
    wallet_id = somebody(database, identities)
    with database.unit_of_work() as uow:
        keys = [key for (key,) in uow.rows("SELECT wrapped_key FROM identities")]
    database.truncate_log()
    assert files_with(tmp_path, NAME.encode(), IBAN.encode()) == 0
    assert files_with(tmp_path, *keys) == 1
    with database.unit_of_work() as uow:
        end_service(uow, wallet_id, ended_at_ms=0, now_ms=0)
        shred_due(uow, now_ms=RETENTION_MS)
        uow.commit()
    database.truncate_log()

    assert files_with(tmp_path, *keys) == 0


def files_with(directory: Path, *needles: bytes) -> int:
    files = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    return sum(any(needle in content for needle in needles) for content in files)


def test_what_is_no_kind_or_no_content_is_refused(database: Database, identities: Identities) -> None:
    wallet_id = somebody(database, identities)
    for kind, content in (("Name", "a"), ("", "a"), ("name", ""), ("name", "a" * (CONTENT_BYTES_MAX + 1))):
        with pytest.raises(BodyInvalid), database.unit_of_work() as uow:
            identities.put(uow, wallet_id, kind=kind, content=content, basis=Basis.LAW, now_ms=1)
    with pytest.raises(InvariantBroken):
        Identities(b"short")


def test_the_master_key_is_made_once_and_never_replaced(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "identities.key"
    with pytest.raises(ConfigError):
        open_master_key(path, is_new=False)

    made = open_master_key(path, is_new=True)

    assert open_master_key(path, is_new=True) == open_master_key(path, is_new=False) == made
    with database.unit_of_work() as uow:
        assert not has_identities(uow)
    somebody(database, Identities(made))
    with database.unit_of_work() as uow:
        assert has_identities(uow)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_master_key(path, is_new=False)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="not a master key"):
        open_master_key(path, is_new=True)


def test_reprs_tell_nothing(database: Database, identities: Identities) -> None:
    wallet_id = somebody(database, identities)
    with database.unit_of_work() as uow:
        said = repr((identities, identities.get(uow, wallet_id)))

    assert NAME not in said
    assert wallet_id not in said
