"""
Give a mandate to collect from an account by SEPA direct debit, end it, and ask for a collection.

The owner of a wallet reads a text and agrees, as with a palm; account and name are kept apart from the wallet
(`store.issuer_parties`).
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.bank.orders import Holder, require_payable
from handsel.errors import BodyInvalid, ConfigError, IdReused, NotFound
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.ids import require_id
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money
from handsel.store import issuer as wallets
from handsel.store import issuer_bank
from handsel.store.database import UnitOfWork
from handsel.store.issuer_bank import CollectionRow, MandateRow

MANDATE_VERSION = "debit-2"  # Of the text in web/templates/wallet/mandate.html: change both, or neither.
COLLECTION_MINOR_MAX = 150_00  # Our own choice: as much as is paid by palm between two second factors.
OPEN_COLLECTIONS_MAX = 3  # Of one wallet, that are not yet paid.
COLLECTIONS_SHOWN_MAX = 20


@dataclass(frozen=True, repr=False)
class MandateView:
    """
    Show a mandate: the end of the account's number, and what was collected.
    """

    account_hint: str
    signed_at_ms: int
    id: str


@dataclass(frozen=True, repr=False)
class CollectionView:
    """
    Show a collection: waiting, ordered, done, refused or returned.
    """

    money: Money
    state: str


def give_mandate(issuer: Issuer, wallet_id: str, holder: Holder, *, mandate_id: str, version: str) -> None:
    """
    Keep a mandate, once for each id; it takes the place of an earlier one.

    Raises `ConfigError` where the issuer does not collect, `NotFound`, `IdReused`, and `BodyInvalid` where another text
    was agreed to.
    """
    require_id(mandate_id)
    if issuer.bank is None or not issuer.bank.creditor_id:
        raise ConfigError("this bank does not collect by direct debit")
    if version != MANDATE_VERSION:
        raise BodyInvalid("the text has changed: load the page again, and read it")
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        _require_open(uow, wallet_id)
        party_id = derive_id("party", mandate_id)
        earlier = issuer_bank.find_mandate(uow, mandate_id)
        if earlier is not None:
            if earlier.wallet_id != wallet_id or books_of(issuer, uow).find_party(party_id) != holder:
                raise IdReused("that id was used for another mandate: load the page again")
            return
        issuer_bank.end_mandate(uow, wallet_id, now_ms=now_ms)
        books_of(issuer, uow).keep_party(party_id, holder, now_ms=now_ms)
        issuer_bank.add_mandate(uow, MandateRow(mandate_id, wallet_id, party_id, version, now_ms, None))
        uow.commit()


def end_mandate(issuer: Issuer, wallet_id: str) -> None:
    """
    End a wallet's mandate, if it has one. What the bank has been asked for already is still collected.
    """
    with issuer.database.unit_of_work() as uow:
        issuer_bank.end_mandate(uow, wallet_id, now_ms=issuer.clock())
        uow.commit()


def ask_collection(issuer: Issuer, wallet_id: str, *, collection_id: str, amount: Money) -> None:
    """
    Keep that an amount is to be collected into a wallet, once for each id. It is in the wallet once the bank has it.

    Raises `NotFound` without a mandate, `BodyInvalid` for too much or too many, and `IdReused`.
    """
    require_id(collection_id)
    require_payable(amount)
    if amount.amount_minor > COLLECTION_MINOR_MAX:
        raise BodyInvalid(f"at most {Money(COLLECTION_MINOR_MAX, amount.currency)} are collected at once")
    with issuer.database.unit_of_work() as uow:
        _require_open(uow, wallet_id)
        earlier = issuer_bank.find_collection(uow, collection_id)
        if earlier is not None:
            if (earlier.wallet_id, earlier.money) != (wallet_id, amount):
                raise IdReused("that id was used for another collection: load the page again")
            return
        mandate = issuer_bank.mandate_in_force(uow, wallet_id)
        if mandate is None:
            raise NotFound("there is no mandate to collect: give one first")
        shown = issuer_bank.collections_of_wallet(uow, wallet_id, limit=COLLECTIONS_SHOWN_MAX)
        if sum(state in ("waiting", "ordered") for _, state in shown) >= OPEN_COLLECTIONS_MAX:
            raise BodyInvalid(f"at most {OPEN_COLLECTIONS_MAX} collections are under way at once: wait for the first")
        row = CollectionRow(collection_id, wallet_id, mandate.id, amount, None)
        issuer_bank.add_collection(uow, row, now_ms=issuer.clock())
        uow.commit()


def show_mandate(issuer: Issuer, wallet_id: str) -> tuple[MandateView | None, tuple[CollectionView, ...]]:
    """
    Return a wallet's mandate, if it has one, and its latest collections.
    """
    with issuer.database.unit_of_work() as uow:
        mandate = issuer_bank.mandate_in_force(uow, wallet_id)
        holder = books_of(issuer, uow).find_party(mandate.party_id) if mandate else None
        rows = issuer_bank.collections_of_wallet(uow, wallet_id, limit=COLLECTIONS_SHOWN_MAX)
    hint = holder.iban.hint if holder else ""
    view = MandateView(hint, mandate.signed_at_ms, mandate.id) if mandate else None
    return view, tuple(CollectionView(row.money, state) for row, state in rows)


def _require_open(uow: UnitOfWork, wallet_id: str) -> None:
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None or wallet.is_closed:
        raise NotFound("there is no such wallet, or it is closed")
