"""
Prove a payment to whoever has its receipt, and to a merchant all entries of its account, and what a pay-out contains.

All are checked offline, with nothing but the acquirer's public tree key: `handsel verify-receipt` and
`handsel verify-statement`.
"""

from __future__ import annotations

import msgspec

from handsel.bank.booking import OrderKind, OrderState
from handsel.errors import BodyInvalid, NotFound
from handsel.flows.acquiring.accounts import merchant_account
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.banking.order_payments import reservation_id
from handsel.pay.ledger import derive_id
from handsel.pay.merchant import Merchant
from handsel.pay.money import MINOR_DIGITS
from handsel.pay.pay_out import paid_id
from handsel.pay.payment import booking_of
from handsel.proof.receipt import ReceiptProof
from handsel.proof.statement import LINES_MAX, Statement

PAY_OUTS_READ_MAX = 1000  # Of one merchant, newest first, among which the one before is looked for.
PAYMENTS_READ_MAX = 100_000  # Of one merchant, newest first, among which those of a statement are looked for.


def prove_receipt(acquirer: Acquirer, receipt_code: str) -> ReceiptProof:
    """
    Prove that the payment of that receipt is in the list that the acquirer signs. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        payment = books.payments.by_receipt(receipt_code)
    if payment is None:
        raise NotFound("there is no receipt of that code")
    return acquirer.tree.receipt(booking_of(payment.id, currency=payment.amount.currency))


def prove_statement(acquirer: Acquirer, merchant: Merchant, *, currency: str, after: int = 0) -> Statement:
    """
    Prove the entries of a merchant's account after the one of that number: at most `LINES_MAX`, oldest first.

    Raises `BodyInvalid`, and `NotFound` where there are none.
    """
    if currency not in MINOR_DIGITS:
        raise BodyInvalid("name a currency, as EUR")
    if after < 0:
        raise BodyInvalid("entries are counted from 1: ask for those after 0 or more")
    account = merchant_account(merchant.id, currency=currency)
    statement = acquirer.tree.statement(account.id, after=after, limit=LINES_MAX)
    return _with_payments(acquirer, merchant, statement, currency=currency)


def prove_pay_out(acquirer: Acquirer, merchant: Merchant, pay_out_id: str) -> Statement:
    """
    Prove that a pay-out contains every payment since the last, less every refund, or which it leaves out.

    Raises `NotFound` where it is not the merchant's, or the bank has not stated that it paid it, and `BodyInvalid`
    where it has more lines than a statement takes.
    """
    with acquirer.store.unit_of_work() as books:
        order = books.bank.find_order(pay_out_id)
        if order is None or order.subject != merchant.id or order.kind is not OrderKind.PAY_OUT:
            raise NotFound("there is no pay-out of that id")
        if order.state not in (OrderState.DONE, OrderState.RETURNED):
            raise NotFound("the bank has not stated that this was paid out: there is nothing to prove yet")
        currency = order.money.currency
        steps = books.pay_outs.steps_of(order.id)
        others = books.bank.orders_for(merchant.id, limit=PAY_OUTS_READ_MAX)
    statement = acquirer.tree.payout(
        merchant_account(merchant.id, currency=currency).id,
        payout_id=paid_id(order.id),
        contained=[derive_id(f"{kind}:{currency}", request_id) for kind, request_id in steps],
        before=[reservation_id(each) for each in others if each.state is not OrderState.REFUSED],
    )
    return _with_payments(acquirer, merchant, statement, currency=currency)


def _with_payments(acquirer: Acquirer, merchant: Merchant, statement: Statement, *, currency: str) -> Statement:
    with acquirer.store.unit_of_work() as books:
        paid = books.payments.paid_ids(merchant.id, limit=PAYMENTS_READ_MAX)
    payments = {booking_of(payment_id, currency=currency): payment_id for payment_id in paid}
    lines = tuple(msgspec.structs.replace(line, payment_id=payments.get(line.leaf.id, "")) for line in statement.lines)
    return msgspec.structs.replace(statement, lines=lines)
