"""
Book a statement of the issuer's bank: what came fills wallets, what left was ordered, and the rest is named.
"""

from __future__ import annotations

from collections.abc import Sequence

from handsel.bank.booking import BankOrder, Difference, OrderKind, OrderState, Outcome, SuspenseState
from handsel.bank.statement import Movement, Statement
from handsel.errors import ConfigError
from handsel.flows.banking.accounts import at_bank, book, suspense
from handsel.flows.banking.book_statement import Booked, book_in_turn
from handsel.flows.banking.explain_payment import Explained, Explanation, explain_payment
from handsel.flows.issuing.explain_collection import explain_collection
from handsel.flows.issuing.fill_wallet import fill_wallet, take_back, takes_money
from handsel.flows.issuing.issuer import Issuer, books_of
from handsel.store import issuer_bank
from handsel.store.bank import BankTables
from handsel.store.issuer_identity import end_service


def book_statements(issuer: Issuer, statements: Sequence[Statement]) -> tuple[Booked, ...]:
    """
    Book statements, each once, and all or none.

    Raises `ConfigError`, `StatementInvalid` and `IdReused`; then nothing has changed.
    """
    if issuer.bank is None:
        raise ConfigError("the settings name no bank account: set [bank]")
    with issuer.database.unit_of_work() as uow:
        books, of, now_ms = books_of(issuer, uow), issuer.bank.holder.iban, issuer.clock()
        booked = book_in_turn(
            books, statements, of=of, currency=issuer.currency, explain=explain_movement, now_ms=now_ms
        )
        uow.commit()
    return booked


def order_ended(books: BankTables, order: BankOrder, now_ms: int) -> None:
    """
    Follow what became of an order: who was paid goes as the law says, and money that was nobody's is with its sender,
    or is here again.
    """
    if order.state is OrderState.DONE or order.kind is OrderKind.SETTLEMENT:
        end_service(books.uow, order.party_id, ended_at_ms=now_ms, now_ms=now_ms)
    if order.kind is not OrderKind.RETURN:
        return
    if order.state is OrderState.DONE:
        books.move_suspended(order.subject, was=SuspenseState.RETURNING, to=SuspenseState.RETURNED)
        books.settle_difference(order.subject, now_ms=now_ms)
        return
    was = SuspenseState.RETURNING if order.state is OrderState.REFUSED else SuspenseState.RETURNED
    books.move_suspended(order.subject, was=was, to=SuspenseState.OPEN)
    books.reopen_difference(order.subject)


def explain_movement(books: BankTables, movement: Movement, entry_id: str, now_ms: int) -> Explanation:
    """
    Say what a movement is: a payment that was ordered, a collection, a reversal, a top-up, or a difference.
    """
    found = explain_payment(books, movement, ended=order_ended, now_ms=now_ms)
    if found is None:
        found = explain_collection(books, movement, now_ms=now_ms)
    if found is None and movement.is_reversal:
        found = _explain_reversal(books, movement, entry_id, now_ms=now_ms)
    if found is None and movement.is_credit:
        found = _explain_top_up(books, movement, entry_id, now_ms=now_ms)
    return Difference.MISSING_IN_LEDGER if found is None else found


def _explain_top_up(books: BankTables, movement: Movement, entry_id: str, *, now_ms: int) -> Explanation:
    wallet_id = issuer_bank.wallet_of_reference(books.uow, movement.reference) if movement.reference else None
    if wallet_id is None:
        was_tried = bool(movement.reference) or movement.is_reference_wrong
        return Difference.UNKNOWN_REFERENCE if was_tried else Difference.NO_REFERENCE
    if not takes_money(books, wallet_id):
        return Difference.WALLET_CLOSED
    money, step = movement.money, "bank_top_up"
    source = at_bank(money.currency)
    fill_wallet(books, wallet_id, money, step=step, request_id=entry_id, source=source, now_ms=now_ms)
    return Explained(Outcome.TOP_UP, wallet_id, keeps_party=True)


def _explain_reversal(books: BankTables, movement: Movement, entry_id: str, *, now_ms: int) -> Explanation:
    """
    Take back what the bank has stated in error: from the wallet, or from what is nobody's.
    """
    if movement.is_credit:
        return Difference.REVERSAL_UNMATCHED
    if not movement.end_to_end_id and not movement.reference:
        return Difference.REVERSAL_UNMATCHED  # The amount alone says nothing: it may be somebody else's.
    taken = books.find_reversible(
        change_minor=movement.money.amount_minor,
        end_to_end_id=movement.end_to_end_id,
        reference=movement.reference,
    )
    if taken is None:
        return Difference.REVERSAL_UNMATCHED
    if taken.outcome is Outcome.TOP_UP:
        take_back(books, taken.subject, movement.money, step="reversal", request_id=entry_id, now_ms=now_ms)
    else:
        suspended = books.find_suspended(taken.id)
        if suspended is None or suspended.state is not SuspenseState.OPEN:
            return Difference.REVERSAL_UNMATCHED
        money = movement.money
        debit, credit = suspense(money.currency), at_bank(money.currency)
        book(books, "reversal", entry_id, money, debit=debit, credit=credit, now_ms=now_ms)
        books.move_suspended(taken.id, was=SuspenseState.OPEN, to=SuspenseState.TAKEN_BACK)
        books.settle_difference(taken.id, now_ms=now_ms)
    books.mark_taken_back(taken.id)
    return Explained(Outcome.REVERSED, taken.subject)
