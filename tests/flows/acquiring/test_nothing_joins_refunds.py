"""
Promise that of refunds and enrolments no identifier stands at the issuer and at the acquirer, however they ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from handsel.errors import BodyInvalid, EnvelopeInvalid, PartyUnavailable
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.acquiring.refund_by_receipt import ByReceipt, refund_by_receipt
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.ids import new_id
from handsel.order import HELD_PROOF, REFUND, RefundOrder, SealedProof, Way, till_digest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.payment import PaymentIntent, Pending
from handsel.pay.refund import Refunded, RefundStatus
from handsel.store.acquirer_notes import NoteTables
from handsel.store.engine import Row
from handsel.till.card import Card
from tests.flows.acquiring.crashing_store import crash_at_call
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import SHOP, TILL, Street
from tests.flows.acquiring.test_carry_card import Holder
from tests.joins import Found, joined

Act = Callable[[Street], object]


def at_issuer(street: Street, query: str) -> list[Row]:
    with street.issuer.issuer.database.unit_of_work() as uow:
        return uow.rows(query)


def joins(street: Street) -> Found:
    return joined(street.issuer.issuer.database, street.database.database)


def give(street: Street, payment: PaymentIntent) -> ByReceipt:
    request, code = RefundRequest(new_id(), payment.id, 100), street.codes[payment.id]
    return refund_by_receipt(street.acquirer, SHOP, request, return_code=code, now_ms=street.now_ms)


def show(street: Street, palm: str = "ann") -> ShownForRefund:
    paid = street.pay("ann", 450)
    return street.show_for_refund(palm, street.ask_refund(paid, 200))


def credited(street: Street) -> None:
    assert isinstance(street.submit_refund(show(street)), Refunded)


def sent_twice(street: Street) -> None:
    shown = show(street)
    assert street.submit_refund(shown) == street.submit_refund(shown)
    assert street.issuer.calls["refund"] == 1


def declined(street: Street) -> None:
    assert street.submit_refund(show(street, "nobody")) == Declined(DeclineReason.NOT_RECOGNISED)


def declined_and_credited(street: Street) -> None:
    paid = street.pay("ann", 450)
    refund = street.ask_refund(paid, 200)
    street.submit_refund(street.show_for_refund("nobody", refund))
    assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)


def answer_lost(street: Street) -> None:
    street.issuer.line = {"refund": Line.CUT}
    assert isinstance(street.submit_refund(show(street)), Refunded)


def request_lost(street: Street) -> None:
    street.issuer.line = {"refund": Line.LOST}
    assert street.submit_refund(show(street)) == Declined(DeclineReason.VOIDED)


def found_out_late(street: Street) -> None:
    """
    The answer is lost, and so is that of the redemption by which it is found out.
    """
    street.pay("ann", 450)
    street.redeem()
    shown = show(street)
    street.issuer.line = {"refund": Line.CUT, "redeem": Line.CUT}
    assert street.submit_refund(shown) == Pending()
    street.issuer.line = {}
    street.resolve()
    assert isinstance(street.submit_refund(shown), Refunded)


def found_out_by_both(street: Street) -> None:
    """
    The credit is heard of while its notes are being redeemed.
    """
    street.issuer.on_answer = lambda call: street.resolve() if call == "refund" else None
    assert isinstance(street.submit_refund(show(street)), Refunded)
    street.issuer.on_answer = lambda _: None


def crashed(street: Street) -> None:
    shown = show(street)
    street.issuer.crash_after = "refund"
    crash_at_call(street, lambda acquirer: submit_refund(acquirer, TILL, shown, now_ms=street.now_ms))
    street.resolve()
    assert isinstance(street.submit_refund(shown), Refunded)


def not_opened(street: Street) -> None:
    shown = show(street)
    with pytest.raises(EnvelopeInvalid):
        street.submit_refund(ShownForRefund(new_id(), shown.refund_id, shown.order_id, b"none", shown.queries))


def by_receipt(street: Street) -> None:
    assert give(street, street.pay()).refund.status is RefundStatus.SUCCEEDED


def by_receipt_with_a_lost_answer(street: Street) -> None:
    street.issuer.line = {"refund_charge": Line.CUT}
    assert give(street, street.pay()).refund.status is RefundStatus.SUCCEEDED


def by_receipt_to_a_closed_wallet(street: Street) -> None:
    paid = street.pay()
    close_wallet(street.issuer.issuer, street.wallets["ann"])
    assert give(street, paid).declined is DeclineReason.WALLET_CLOSED


def enrolled(street: Street) -> None:
    street.enrol("bob")


def enrolled_after_a_lost_answer(street: Street) -> None:
    shown = street.show_for_enrolment("bob", street.code(street.open_wallet("bob")))
    street.issuer.line = {"complete_enrolment": Line.CUT}
    with pytest.raises(PartyUnavailable):
        submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms)
    street.issuer.line = {}
    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Enrolled()


def enrolled_already(street: Street) -> None:
    shown = street.show_for_enrolment("ann", street.code(street.open_wallet("second")))
    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Declined(
        DeclineReason.ALREADY_ENROLLED
    )


def wrong_code(street: Street) -> None:
    shown = street.show_for_enrolment("bob", "00000000")
    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Declined(DeclineReason.WRONG_CODE)


def card(street: Street) -> None:
    """
    A card is enrolled, pays, and is paid back to.
    """
    wallet_id = street.open_wallet("bob", minor=100_00)
    give_consent(street.issuer.issuer, wallet_id, version="card-1", way=Way.HELD_KEY)
    given = give_enrolment_code(street.issuer.issuer, wallet_id, way=Way.HELD_KEY)
    assert isinstance(given, EnrolmentCode)
    holder = Holder(street, Card.draw(os.urandom), [])
    assert holder.enrol(given.code) == Enrolled()
    refund = street.ask_refund(holder.pay(450), 150)
    order = RefundOrder(new_id(), 150, "EUR", till_digest(b"t" * 32, os.urandom(16)))
    proof = SealedProof(holder.seal(holder.card.prove(order), HELD_PROOF))
    shown = ShownForRefund(new_id(), refund.id, order.order_id, holder.seal(order, REFUND), proof)
    assert isinstance(street.submit_refund(shown), Refunded)


WAYS: tuple[Act, ...] = (
    credited,
    sent_twice,
    declined,
    declined_and_credited,
    answer_lost,
    request_lost,
    found_out_late,
    found_out_by_both,
    crashed,
    not_opened,
    by_receipt,
    by_receipt_with_a_lost_answer,
    by_receipt_to_a_closed_wallet,
    enrolled,
    enrolled_after_a_lost_answer,
    enrolled_already,
    wrong_code,
    card,
)


@pytest.mark.parametrize("act", WAYS, ids=[act.__name__ for act in WAYS])
def test_no_identifier_stands_at_both(street: Street, act: Act) -> None:
    street.pay("ann", 301)

    act(street)
    street.issuer.line = {}
    street.resolve()
    street.redeem()

    street.audit()
    assert joins(street) == {}


def test_all_of_them_together_leave_none(street: Street) -> None:
    for act in (declined, answer_lost, request_lost, by_receipt, enrolled, enrolled_already, wrong_code, credited):
        act(street)
        street.issuer.line = {}
        street.resolve()
        street.redeem()

    assert joins(street) == {}
    assert len(at_issuer(street, "SELECT id FROM refunds WHERE reason IS NULL")) == 3


@pytest.mark.parametrize("act", [credited, answer_lost, by_receipt])
def test_serials_that_were_kept_would_be_seen(street: Street, monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    def keep(self: NoteTables, attempt_id: str) -> None:
        self._uow.execute("UPDATE notes SET state = 'spent' WHERE attempt_id = ?", attempt_id)

    monkeypatch.setattr(NoteTables, "forget", keep)

    act(street)

    assert "redeemed_notes.serial" in joins(street)["notes.serial"]


def test_ids_of_orders_that_were_kept_would_be_seen(street: Street) -> None:
    shown = street.show_for_enrolment("bob", street.code(street.open_wallet("bob")))
    object.__setattr__(shown, "enrolment_id", shown.order_id)
    attempt = show(street)
    object.__setattr__(attempt, "attempt_id", attempt.order_id)

    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Enrolled()
    assert isinstance(street.submit_refund(attempt), Refunded)

    found = joins(street)
    assert found["refund_attempts.id"] >= {"refunds.id"}
    assert found["enrolments.id"] >= {"enrolments.id"}


def test_an_order_of_a_refund_or_an_enrolment_has_an_id_of_its_own() -> None:
    same = new_id()
    with pytest.raises(BodyInvalid):
        ShownForRefund(same, new_id(), same, b"", SealedProof(b""))
    with pytest.raises(BodyInvalid):
        ShownForEnrolment(same, same, b"", None)
