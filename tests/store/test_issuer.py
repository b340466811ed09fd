"""
Promise that the issuer's database keeps what only one may have once, and opens only as what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.errors import InvariantBroken, StoreCorrupt
from handsel.ids import new_id
from handsel.order import Way
from handsel.store.asking import ASKING_SCHEMA
from handsel.store.database import Database
from handsel.store.engine import Schema
from handsel.store.issuer import (
    add_consent,
    add_wallet,
    consent_in_force,
    find_code,
    find_wallet,
    open_issuer_database,
    replace_code,
    wallet_of_key,
)
from handsel.store.issuer_schema import ISSUER_SCHEMA
from handsel.store.ledger_schema import LEDGER_SCHEMA


@pytest.fixture
def opened(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    An issuer's database without customers.
    """
    database = open_issuer_database(tmp_path / "issuer" / "issuer.sqlite")
    yield database
    database.close()


def test_a_wallet_is_found_by_its_id_and_by_the_digest_of_its_key(opened: Database) -> None:
    wallet_id = new_id()
    with opened.unit_of_work() as uow:
        add_wallet(uow, wallet_id, key_digest=b"k" * 32, currency="EUR", now_ms=5)

        wallet = find_wallet(uow, wallet_id)
        assert wallet is not None
        assert (wallet.id, wallet.currency, wallet.opened_at_ms, wallet.is_closed) == (wallet_id, "EUR", 5, False)
        assert wallet_of_key(uow, b"k" * 32) == wallet_id
        assert wallet_of_key(uow, b"l" * 32) is None
        assert find_wallet(uow, new_id()) is None


def test_two_wallets_never_have_one_key(opened: Database) -> None:
    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        for _ in range(2):
            add_wallet(uow, new_id(), key_digest=b"k" * 32, currency="EUR", now_ms=0)


def test_one_consent_is_in_force_at_a_time(opened: Database) -> None:
    wallet_id = new_id()
    with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
        add_wallet(uow, wallet_id, key_digest=b"k" * 32, currency="EUR", now_ms=0)
        add_consent(uow, wallet_id, version="1", way=Way.OPEN_HAND, now_ms=0)
        add_consent(uow, wallet_id, version="card", way=Way.HELD_KEY, now_ms=0)
        assert consent_in_force(uow, wallet_id, way=Way.OPEN_HAND) == "1"
        assert consent_in_force(uow, wallet_id, way=Way.HELD_KEY) == "card"
        add_consent(uow, wallet_id, version="2", way=Way.OPEN_HAND, now_ms=0)


def test_a_consent_of_before_the_held_key_is_one_to_an_open_hand(tmp_path: Path) -> None:
    """
    A database that the version before wrote is brought to the present tables, and keeps what is in it.
    """
    path, wallet_id = tmp_path / "issuer" / "issuer.sqlite", new_id()
    earlier = Schema(ISSUER_SCHEMA.name, ISSUER_SCHEMA.migrations[:1])
    database = Database.open(path, schemas=(LEDGER_SCHEMA, earlier, ASKING_SCHEMA))
    with database.unit_of_work() as uow:
        add_wallet(uow, wallet_id, key_digest=b"k" * 32, currency="EUR", now_ms=0)
        uow.execute("INSERT INTO consents (wallet_id, version, given_at_ms) VALUES (?, ?, ?)", wallet_id, "1", 0)
        uow.commit()
    database.close()

    database = open_issuer_database(path)
    with database.unit_of_work() as uow:
        assert consent_in_force(uow, wallet_id, way=Way.OPEN_HAND) == "1"
        assert consent_in_force(uow, wallet_id, way=Way.HELD_KEY) is None
    database.close()


def test_a_code_belongs_to_one_wallet_and_a_wallet_has_one_code(opened: Database) -> None:
    ada, bob = new_id(), new_id()
    with opened.unit_of_work() as uow:
        for number, wallet_id in enumerate((ada, bob)):
            add_wallet(uow, wallet_id, key_digest=bytes([number]) * 32, currency="EUR", now_ms=0)
        assert replace_code(uow, "11111111", wallet_id=ada, expires_at_ms=1)
        assert not replace_code(uow, "11111111", wallet_id=bob, expires_at_ms=1)
        assert replace_code(uow, "22222222", wallet_id=ada, expires_at_ms=1)

        assert find_code(uow, "11111111") is None
        found = find_code(uow, "22222222")
        assert found is not None
        assert found.wallet_id == ada


def test_a_database_of_the_issuer_is_not_another_partys(opened: Database, tmp_path: Path) -> None:
    opened.close()

    with pytest.raises(StoreCorrupt):
        Database.open(tmp_path / "issuer" / "issuer.sqlite", schemas=(LEDGER_SCHEMA,))
