"""
Promise that whose accounts the issuer deals with is sealed, is never changed, and cannot be brought back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.ids import new_id
from handsel.store.database import Database
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_identity import (
    RETENTION_MS,
    Basis,
    Identities,
    KeptRow,
    end_service,
    keep_by_law,
    kept_of,
    shred_due,
)
from handsel.store.issuer_parties import BANK_ACCOUNT, SealedParties

ADA, BOB = Holder("Ada  of the Engine", Iban("NL91ABNA0417164300")), Holder("Bob", Iban("DE89370400440532013000"))


@pytest.fixture
def database(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    The database of an issuer without wallets.
    """
    opened = open_issuer_database(tmp_path / "issuer" / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def parties() -> SealedParties:
    """
    What keeps them, with a master key of the test's own.
    """
    return SealedParties(Identities(bytes(range(32))))


def test_an_account_is_found_as_it_was_and_never_changed(database: Database, parties: SealedParties) -> None:
    one, two = new_id(), new_id()
    with database.unit_of_work() as uow:
        parties.keep(uow, one, ADA, now_ms=1)
        parties.keep_sender(uow, two, BOB, now_ms=2)
        parties.keep_sender(uow, one, BOB, now_ms=3)

        assert parties.find(uow, (one, two, new_id())) == {one: ADA, two: BOB}
        assert parties.find(uow, ()) == {}
        assert kept_of(uow, one) == (KeptRow(BANK_ACCOUNT, Basis.LAW, None),)
        assert kept_of(uow, two) == (KeptRow(BANK_ACCOUNT, Basis.SERVICE, None),)


def test_who_was_shredded_is_not_found_nor_kept_anew(database: Database, parties: SealedParties) -> None:
    sender = new_id()
    with database.unit_of_work() as uow:
        parties.keep_sender(uow, sender, ADA, now_ms=1)
        end_service(uow, sender, ended_at_ms=2, now_ms=2)
        parties.keep(uow, sender, ADA, now_ms=3)

        assert parties.find(uow, (sender,)) == {}


def test_a_sender_who_is_a_customer_is_kept_as_the_law_asks(database: Database, parties: SealedParties) -> None:
    sender, other = new_id(), new_id()
    with database.unit_of_work() as uow:
        for party_id in (sender, other):
            parties.keep_sender(uow, party_id, ADA, now_ms=1)
        keep_by_law(uow, sender)
        for party_id in (sender, other):
            end_service(uow, party_id, ended_at_ms=2, now_ms=2)

        assert parties.find(uow, (sender, other)) == {sender: ADA}
        assert kept_of(uow, sender, other, sender) == (KeptRow(BANK_ACCOUNT, Basis.LAW, 2 + RETENTION_MS),)
        assert shred_due(uow, now_ms=2 + RETENTION_MS) == 1
        keep_by_law(uow, sender)
        assert parties.find(uow, (sender,)) == {}
