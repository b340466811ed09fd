"""
Show a receipt to whoever has its code, and a merchant what it is owed.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.acquiring.accounts import merchant_account
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.merchant import Merchant
from handsel.pay.money import MINOR_DIGITS, Money, sum_money
from handsel.pay.payment import Receipt
from handsel.pay.refund import RefundStatus


def show_receipt(acquirer: Acquirer, receipt_code: str) -> Receipt:
    """
    Return the receipt of that code. The code is 128 random bits: whoever has it was given it. Raises `NotFound`.
    """
    with acquirer.store.unit_of_work() as books:
        payment = books.payments.by_receipt(receipt_code)
        merchant = books.merchants.merchant(payment.merchant_id) if payment else None
        refunds = books.refunds.of_payment(payment.id) if payment else ()
    if payment is None or merchant is None or payment.paid_ms is None:
        raise NotFound("there is no receipt of that code")
    paid_back = (refund.amount for refund in refunds if refund.status is RefundStatus.SUCCEEDED)
    refunded = sum_money(paid_back, currency=payment.amount.currency)
    return Receipt(merchant.name, payment.received, payment.paid_ms, payment.description, refunded, payment.tip)


def merchant_balance(acquirer: Acquirer, merchant: Merchant) -> tuple[Money, ...]:
    """
    Return what the acquirer owes to a merchant, in each currency in which that is more than nothing.
    """
    with acquirer.store.unit_of_work() as books:
        amounts = [
            Money(books.balance_minor(merchant_account(merchant.id, currency=currency).id), currency)
            for currency in sorted(MINOR_DIGITS)
        ]
    return tuple(amount for amount in amounts if amount.amount_minor)
