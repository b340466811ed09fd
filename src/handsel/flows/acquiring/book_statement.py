"""
Book a statement of the acquirer's bank: what came is the issuer's payment for redeemed notes, what left are pay-outs.
"""

from __future__ import annotations

from collections.abc import Sequence

from handsel.bank.booking import BankOrder, Difference, OrderKind, OrderState, Outcome
from handsel.bank.iban import Iban
from handsel.bank.statement import Movement, Statement
from handsel.flows.acquiring.accounts import in_hand_minor, settlement
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.banking.accounts import at_bank, book
from handsel.flows.banking.book_statement import Booked, book_in_turn
from handsel.flows.banking.explain_payment import Ended, Explain, Explained, Explanation, explain_payment
from handsel.pay.money import EURO
from handsel.store.acquirer import AcquirerBooks
from handsel.store.bank import BankTables

ISSUER = "issuer"  # Whose money a settlement is.


def book_statements(
    acquirer: Acquirer, statements: Sequence[Statement], *, of: Iban, settlement_reference: str, now_ms: int
) -> tuple[Booked, ...]:
    """
    Book statements, each once, and all or none. Money with `settlement_reference` is the issuer's.

    Raises `StatementInvalid` and `IdReused`; then nothing has changed.
    """
    with acquirer.store.unit_of_work() as books:
        explain = _explain(books, settlement_reference)
        booked = book_in_turn(books.bank, statements, of=of, currency=EURO, explain=explain, now_ms=now_ms)
        books.commit()
    return booked


def follow_orders(books: AcquirerBooks) -> Ended:
    """
    Return what follows when an order has ended: what a pay-out contained that did not stand is due again.
    """

    def ended(_: BankTables, order: BankOrder, __: int) -> None:
        if order.kind is OrderKind.PAY_OUT and order.state in (OrderState.REFUSED, OrderState.RETURNED):
            books.pay_outs.free_items(order.id)

    return ended


def _explain(books: AcquirerBooks, settlement_reference: str) -> Explain:
    def explain(bank: BankTables, movement: Movement, entry_id: str, now_ms: int) -> Explanation:
        found = explain_payment(bank, movement, ended=follow_orders(books), now_ms=now_ms)
        if found is not None:
            return found
        if movement.is_reversal:
            return Difference.REVERSAL_UNMATCHED
        if not movement.is_credit:
            return Difference.MISSING_IN_LEDGER
        if not movement.reference and not movement.is_reference_wrong:
            return Difference.NO_REFERENCE
        if movement.reference != settlement_reference:
            return Difference.UNKNOWN_REFERENCE
        if movement.money.amount_minor > in_hand_minor(books, settlement(EURO)):
            return Difference.AMOUNT_DIFFERS
        debit, credit = at_bank(EURO), settlement(EURO)
        book(bank, "settled", entry_id, movement.money, debit=debit, credit=credit, now_ms=now_ms)
        return Explained(Outcome.SETTLED, ISSUER)

    return explain
