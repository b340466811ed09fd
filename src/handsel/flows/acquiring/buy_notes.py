"""
Buy notes from the issuer, for a refund: with the balance that redeemed notes have left there.
"""

from __future__ import annotations

import msgspec

from handsel.errors import NotFound
from handsel.flows.acquiring.accounts import book_bought, book_not_bought, book_order, in_hand_minor, settlement
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.for_each import for_each
from handsel.flows.acquiring.genuine_note import held_note
from handsel.flows.acquiring.redeem_notes import redeem_batch
from handsel.notes.mint import NoteSecret, finalize_all, prepare
from handsel.order import NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import HeldNote, Purchase, PurchaseStatus
from handsel.pay.money import Money
from handsel.pay.refund import RefundAttemptStatus
from handsel.store.acquirer import AcquirerBooks


def buy_notes(acquirer: Acquirer, attempt_id: str, amount: Money, *, now_ms: int) -> Declined | None:
    """
    Buy notes worth `amount`, reserved for a refund attempt; None says that they are here.

    1. Redeem held notes until the balance suffices.
    2. Write the order down, with what makes notes of the issuer's signatures, and set the sum aside.
    3. Ask the issuer. If it does not answer, `resolve_purchases` asks again; nothing that was paid for is lost.

    Raises `PartyUnavailable`.
    """
    # 1.
    for _ in range(acquirer.bounds.redemptions_max):
        if _balance_minor(acquirer, amount.currency) >= amount.amount_minor:
            break
        if redeem_batch(acquirer, now_ms=now_ms) == 0:
            break
    # 2.
    purchase = _prepare(acquirer, attempt_id, amount, now_ms=now_ms)
    with acquirer.store.unit_of_work() as books:
        if in_hand_minor(books, settlement(amount.currency)) < amount.amount_minor:
            return Declined(DeclineReason.INSUFFICIENT_FUNDS)
        books.notes.add_purchase(purchase)
        book_order(books, purchase.id, amount, now_ms=now_ms)
        books.commit()
    # 3.
    return _order(acquirer, purchase, now_ms=now_ms)


def resolve_purchases(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Ask again for purchases of which nothing was heard for `unresolved_ms_min`; return how many have ended now.

    Their notes are held then, and redeemed with the others.
    """
    with acquirer.store.unit_of_work() as books:
        until_ms = now_ms - acquirer.bounds.unresolved_ms_min
        due = books.notes.unresolved_purchases(
            until_ms=until_ms, now_ms=now_ms, limit=acquirer.bounds.resolve_batch_max
        )
        purchases = {purchase_id: books.notes.find_purchase(purchase_id) for purchase_id in due}
    found = {purchase_id: purchase for purchase_id, purchase in purchases.items() if purchase is not None}
    return len(for_each(found, lambda purchase_id: _order(acquirer, found[purchase_id], now_ms=now_ms)))


class _Papers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secrets: tuple[NoteSecret, ...]
    requests: tuple[NoteRequest, ...]


def _balance_minor(acquirer: Acquirer, currency: str) -> int:
    with acquirer.store.unit_of_work() as books:
        return in_hand_minor(books, settlement(currency))


def _prepare(acquirer: Acquirer, attempt_id: str, amount: Money, *, now_ms: int) -> Purchase:
    secrets, requests = prepare(
        amount.amount_minor,
        currency=amount.currency,
        keys=acquirer.keys.at(now_ms),
        random_bytes=acquirer.random_bytes,
        now_ms=now_ms,
    )
    papers = msgspec.msgpack.encode(_Papers(secrets, requests))
    return Purchase(acquirer.new_id(), attempt_id, amount, papers, now_ms)


def _order(acquirer: Acquirer, purchase: Purchase, *, now_ms: int) -> Declined | None:
    papers = msgspec.msgpack.decode(purchase.secrets, type=_Papers)
    answer = acquirer.issuer.buy_notes(purchase.id, requests=papers.requests)
    if isinstance(answer, Declined):
        _conclude_declined(acquirer, purchase.id, now_ms=now_ms)
        return answer
    keys = acquirer.keys.at(now_ms)
    notes = finalize_all(papers.secrets, answer.signatures, keys=keys)
    bought = tuple(held_note(note, keys=keys, source_id=purchase.id, now_ms=now_ms) for note in notes)
    _conclude_signed(acquirer, purchase.id, bought, now_ms=now_ms)
    return None


def _conclude_signed(acquirer: Acquirer, purchase_id: str, bought: tuple[HeldNote, ...], *, now_ms: int) -> None:
    with acquirer.store.unit_of_work() as books:
        purchase = _purchase(books, purchase_id)
        if purchase.status is not PurchaseStatus.ORDERED:
            return
        attempt = books.refunds.find_attempt(purchase.attempt_id)
        is_wanted = attempt is not None and attempt.status is RefundAttemptStatus.SUBMITTED
        books.notes.add(bought, attempt_id=purchase.attempt_id if is_wanted else None)
        books.notes.save_purchase(purchase.signed())
        book_bought(books, purchase_id, purchase.amount, now_ms=now_ms)
        books.commit()


def _conclude_declined(acquirer: Acquirer, purchase_id: str, *, now_ms: int) -> None:
    with acquirer.store.unit_of_work() as books:
        purchase = _purchase(books, purchase_id)
        if purchase.status is not PurchaseStatus.ORDERED:
            return
        books.notes.save_purchase(purchase.declined())
        book_not_bought(books, purchase_id, purchase.amount, now_ms=now_ms)
        books.commit()


def _purchase(books: AcquirerBooks, purchase_id: str) -> Purchase:
    purchase = books.notes.find_purchase(purchase_id)
    if purchase is None:
        raise NotFound("there is no purchase of that id")
    return purchase
