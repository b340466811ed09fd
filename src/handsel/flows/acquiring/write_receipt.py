"""
Write the receipt of a payment for its till: what was paid, or captured, to whom with which notes, signed.

The till seals it to the payer's wallet. The acquirer keeps no copy: it can state the same again, as long as the till
may ask for it.
"""

from __future__ import annotations

from handsel.errors import InvariantBroken
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.payment import Charge, Paid, PaymentIntent, ReceiptPapers
from handsel.receipt import ReceiptNote, Statement, name_of_signer, sign_statement
from handsel.store.acquirer import AcquirerBooks


def write_receipt(acquirer: Acquirer, books: AcquirerBooks, charge: Charge, payment: PaymentIntent) -> Paid:
    """
    Return what the till of a charge that is paid is told; the same again, however often it asks.
    """
    if charge.reply is None:
        return Paid(payment.receipt)
    merchant = books.merchants.merchant(payment.merchant_id)
    if merchant is None or payment.paid_ms is None:
        raise InvariantBroken("a payment that has succeeded has a merchant and a time")
    statement = Statement(
        acquirer=name_of_signer(acquirer.identity.public().sign),
        receipt_code=payment.receipt,
        charge_id=charge.id,
        shop=merchant.name,
        description=payment.description,
        amount_minor=payment.received.amount_minor,
        currency=payment.amount.currency,
        paid_ms=payment.paid_ms,
        notes=tuple(ReceiptNote(mark.key_id, mark.serial) for mark in books.notes.marks_of(charge.id)),
        return_digest=charge.return_digest,
        tip_minor=payment.tip_minor,
    )
    signed = sign_statement(statement, keys=acquirer.identity)
    papers = ReceiptPapers(charge.reply, signed, acquirer.naming_secret(payment.merchant_id))
    return Paid(payment.receipt, papers)
