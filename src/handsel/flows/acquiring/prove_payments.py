"""
Prove a payment to whoever has its receipt, and all entries of its account to a merchant.

Both are checked offline, with nothing but the acquirer's public tree key: `handsel verify-receipt` and
`handsel verify-statement`.
"""

from __future__ import annotations

import msgspec

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.acquiring.accounts import merchant_account
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.merchant import Merchant
from handsel.pay.money import MINOR_DIGITS
from handsel.pay.payment import booking_of
from handsel.proof.receipt import ReceiptProof
from handsel.proof.statement import LINES_MAX, Statement

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


def prove_statement(
    acquirer: Acquirer, merchant: Merchant, *, currency: str, after: int = 0, payout_id: str = ""
) -> Statement:
    """
    Prove the entries of a merchant's account after the one of that number: at most `LINES_MAX`, oldest first.

    With `payout_id`, the id of the step that pays out, the statement ends with that one: it shows that the pay-out is
    what all entries since then come to. Raises `BodyInvalid`, and `NotFound` where there are none.
    """
    if currency not in MINOR_DIGITS:
        raise BodyInvalid("name a currency, as EUR")
    if after < 0:
        raise BodyInvalid("entries are counted from 1: ask for those after 0 or more")
    account = merchant_account(merchant.id, currency=currency)
    statement = acquirer.tree.statement(account.id, after=after, limit=LINES_MAX, payout_id=payout_id)
    with acquirer.store.unit_of_work() as books:
        paid = books.payments.paid_ids(merchant.id, limit=PAYMENTS_READ_MAX)
    payments = {booking_of(payment_id, currency=currency): payment_id for payment_id in paid}
    lines = tuple(msgspec.structs.replace(line, payment_id=payments.get(line.leaf.id, "")) for line in statement.lines)
    return msgspec.structs.replace(statement, lines=lines)
