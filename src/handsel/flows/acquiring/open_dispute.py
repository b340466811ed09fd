"""
Look at a receipt that somebody presents, say what it proves, and open a case where a shop can answer for it.

Who presents it is not asked, and nothing of it is kept but that the payment is disputed.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import BodyInvalid, IdReused
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.ids import require_id
from handsel.pay.dispute import DISPUTABLE, Dispute, Finding, find
from handsel.pay.money import Money, sum_money
from handsel.pay.payment import Charge, PaymentIntent
from handsel.pay.refund import RefundStatus
from handsel.receipt import (
    CONTENT_BYTES,
    PayersReceipt,
    Statement,
    is_signed_by,
    name_of_signer,
    read_statement,
)
from handsel.return_code import find_order
from handsel.store.acquirer import AcquirerBooks

ORDER_MS_MAX = 90 * 24 * 3_600_000  # Longer than a shop takes to answer.


@dataclass(frozen=True, repr=False)
class Examined:
    """
    Answer what a receipt proves, and with the case about its payment where there is one.
    """

    finding: Finding
    dispute: Dispute | None = None


def open_dispute(acquirer: Acquirer, dispute_id: str, receipt: PayersReceipt, *, now_ms: int) -> Examined:
    """
    Say what a receipt proves; where a shop can answer for it, open a case under the id that whoever asks has made.

    1. It is no longer than a receipt, and reads as one. Raises `BodyInvalid`.
    2. It names this acquirer, and has its signature. What has not is thrown away here: no table was looked at.
    3. The id stands for no other case. Raises `IdReused`.
    4. The books say the same as the receipt, and what has become of the payment since.
    5. There is one open case about a payment: presenting the receipt again leads to it. Where there were as many as
       there may be, none is opened; so who has one receipt can keep a shop busy only so far.
    6. Where the receipt has its return code, the case keeps the order id to which that leads, until it ends or nobody
       has answered for `ORDER_MS_MAX`: the shop can pay back without asking for the code. Without, it needs the code,
       or a palm.
    """
    require_id(dispute_id)
    signed = receipt.signed
    if len(signed.statement.encode()) > CONTENT_BYTES[-1]:  # 1
        raise BodyInvalid(f"a receipt has at most {CONTENT_BYTES[-1]} bytes")
    statement = read_statement(signed)
    own = acquirer.identity.public().sign
    if statement.acquirer != name_of_signer(own):  # 2
        return Examined(Finding.NOT_OURS)
    if not is_signed_by(own, signed):
        return Examined(Finding.FORGED)
    with acquirer.store.unit_of_work() as books:
        known = books.disputes.find(dispute_id)
        charge, payment = _named_in(books, statement)
        if known is not None and (payment is None or known.payment_id != payment.id):  # 3
            raise IdReused("that id stands for another dispute: make a new one")
        if charge is None or payment is None:
            return Examined(Finding.NOT_IN_BOOKS)
        finding = _examine(books, statement, charge, payment)  # 4
        dispute = known or books.disputes.open_of(payment.id)  # 5
        order_id = find_order(receipt.return_code, charge_id=charge.id, digest=charge.return_digest)  # 6
        if dispute is not None and dispute.with_order(order_id) != dispute:
            dispute = dispute.with_order(order_id)
            books.disputes.save(dispute)
        elif dispute is None and finding in DISPUTABLE and _may_open(acquirer, books, payment):
            dispute = Dispute(dispute_id, payment.id, payment.merchant_id, finding, now_ms, order_id=order_id)
            books.disputes.add(dispute)
        books.commit()
    return Examined(finding, dispute)


def forget_orders(acquirer: Acquirer, *, now_ms: int) -> int:
    """
    Forget the order ids of cases that nobody has ended within `ORDER_MS_MAX`, and return of how many.

    They stay open. To pay back, the shop needs the code or a palm; presenting the receipt again brings the id back.
    """
    with acquirer.store.unit_of_work() as books:
        dropped = books.disputes.drop_old_orders(until_ms=now_ms - ORDER_MS_MAX)
        books.commit()
        return dropped


def _named_in(books: AcquirerBooks, statement: Statement) -> tuple[Charge | None, PaymentIntent | None]:
    payment = books.payments.by_receipt(statement.receipt_code)
    charge = books.payments.find_charge(statement.charge_id)
    if payment is None or charge is None or charge.payment_id != payment.id:
        return None, None
    return charge, payment


def _examine(books: AcquirerBooks, statement: Statement, charge: Charge, payment: PaymentIntent) -> Finding:
    named = {(note.key_id, note.serial) for note in statement.notes}
    marks = books.notes.marks_of(charge.id)
    worth_minor = sum(mark.worth_minor for mark in marks if (mark.key_id, mark.serial) in named)
    refunds = books.refunds.of_payment(payment.id)
    paid_back = (refund.amount for refund in refunds if refund.status is RefundStatus.SUCCEEDED)
    return find(
        Money(statement.amount_minor, statement.currency),
        payment,
        worth_minor=worth_minor,
        states=frozenset(mark.state for mark in marks),
        refunded=sum_money(paid_back, currency=payment.amount.currency),
    )


def _may_open(acquirer: Acquirer, books: AcquirerBooks, payment: PaymentIntent) -> bool:
    most = acquirer.bounds.disputes_max
    return len(books.disputes.of_payment(payment.id, limit=most)) < most
