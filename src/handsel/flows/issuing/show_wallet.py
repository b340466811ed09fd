"""
Show a wallet to whoever has its key: its balance, its palms, its card, its history.

A line of the history has a kind, an amount and a time. It has no merchant, because the issuer knows none; only the
export has those that the owner wants named.
"""

from __future__ import annotations

import msgspec

from handsel.errors import NotFound, ensure
from handsel.flows.issuing.issuer import Issuer
from handsel.order import Way
from handsel.pay.account import wallet_account
from handsel.store import issuer as wallets
from handsel.store import issuer_card as cards
from handsel.store import issuer_hold as holds
from handsel.store import issuer_palm as palms
from handsel.store import ledger
from handsel.store.database import UnitOfWork

HISTORY_PAGE = 50
HISTORY_PAGES_MAX = 1000  # In one export: 50,000 lines.


class PalmLine(msgspec.Struct, frozen=True):
    """
    Show one palm: `state` is pending, active, paused or erased; `erasures_confirmed` counts matchers, up to three.
    """

    palm_id: str
    state: str
    changed_at_ms: int
    erasures_confirmed: int


class CardLine(msgspec.Struct, frozen=True):
    """
    Show a card: `state` is active or paused. Its number is on the card alone.
    """

    state: str
    enrolled_at_ms: int


class HistoryLine(msgspec.Struct, frozen=True):
    """
    Show one movement: `kind` is top_up, payment, refund or closing, or of a bank: bank_top_up, assigned_top_up,
    direct_debit, returned_debit or reversal. `amount_minor` is below zero where money left.

    `number` counts this wallet's lines from 1, and the next page begins before the last one seen.
    """

    number: int
    kind: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    at_ms: int


class HoldLine(msgspec.Struct, frozen=True):
    """
    Show a sum that is reserved for later: it is paid, in full or in part, until then, or is free again.
    """

    amount_minor: int
    currency: str
    reserved_at_ms: int
    until_ms: int


class WalletView(msgspec.Struct, frozen=True):
    """
    Show a wallet as it is now. `available_minor` is the balance less what is reserved.
    """

    wallet_id: str
    currency: str
    balance_minor: int
    available_minor: int
    opened_at_ms: int
    closed_at_ms: int | None
    consent_version: str | None
    palms: tuple[PalmLine, ...]
    card_consent_version: str | None = None
    card: CardLine | None = None
    holds: tuple[HoldLine, ...] = ()


def show_wallet(issuer: Issuer, wallet_id: str) -> WalletView:
    """
    Return a wallet as it is now. Raises `NotFound`.
    """
    with issuer.database.unit_of_work() as uow:
        return view_in(uow, wallet_id)


def wallet_history(
    issuer: Issuer, wallet_id: str, *, before_number: int | None = None, limit: int = HISTORY_PAGE
) -> tuple[HistoryLine, ...]:
    """
    Return one page of a wallet's history, newest first. Raises `NotFound`.
    """
    ensure(0 < limit <= HISTORY_PAGE, f"a page has at most {HISTORY_PAGE} lines")
    with issuer.database.unit_of_work() as uow:
        return _page(uow, wallet_id, before_number, limit)


def history_in(uow: UnitOfWork, wallet_id: str) -> tuple[HistoryLine, ...]:
    """
    Return the whole history of a wallet, newest first, within the unit of work of another flow. Raises `NotFound`.
    """
    lines: tuple[HistoryLine, ...] = ()
    for _page_number in range(HISTORY_PAGES_MAX):
        page = _page(uow, wallet_id, lines[-1].number if lines else None, HISTORY_PAGE)
        lines += page
        if len(page) < HISTORY_PAGE:
            break
    return lines


def view_in(uow: UnitOfWork, wallet_id: str) -> WalletView:
    """
    Return a wallet as it is now, within the unit of work of another flow. Raises `NotFound`.
    """
    wallet = wallets.find_wallet(uow, wallet_id)
    state = ledger.account_state(uow, f"wallet:{wallet_id}")
    if wallet is None or state is None:
        raise NotFound("there is no such wallet")
    card = cards.card_of_wallet(uow, wallet_id)
    lines = (
        PalmLine(palm.id, palm.state, palm.changed_at_ms, palms.confirmations(uow, palm.id, "erase"))
        for palm in palms.palms_of_wallet(uow, wallet_id)
    )
    return WalletView(
        wallet_id=wallet.id,
        currency=wallet.currency,
        balance_minor=state.balance_minor,
        available_minor=state.available_minor,
        opened_at_ms=wallet.opened_at_ms,
        closed_at_ms=wallet.closed_at_ms,
        consent_version=wallets.consent_in_force(uow, wallet_id, way=Way.OPEN_HAND),
        palms=tuple(lines),
        card_consent_version=wallets.consent_in_force(uow, wallet_id, way=Way.HELD_KEY),
        card=None if card is None else CardLine(card.state, card.enrolled_at_ms),
        holds=tuple(
            HoldLine(hold.amount_minor, wallet.currency, hold.at_ms, hold.until_ms)
            for hold in holds.open_holds(uow, wallet_id)
        ),
    )


def _page(uow: UnitOfWork, wallet_id: str, before_number: int | None, limit: int) -> tuple[HistoryLine, ...]:
    wallet = wallets.find_wallet(uow, wallet_id)
    if wallet is None:
        raise NotFound("there is no such wallet")
    account_id = wallet_account(wallet_id, currency=wallet.currency).id
    entries = ledger.entries_of(uow, account_id, before_number=before_number, limit=limit)
    return tuple(
        HistoryLine(
            entry.number, entry.code, entry.amount_minor, entry.currency, entry.balance_after_minor, entry.at_ms
        )
        for entry in entries
    )
