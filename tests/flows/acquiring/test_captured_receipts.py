"""
Promise that what was reserved has a sealed receipt once it is captured, of what was captured, and as good as any other.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from handsel.errors import BodyInvalid, EnvelopeInvalid, NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.carry_charge import charge_state, submit_charge
from handsel.flows.acquiring.carry_receipt import SealedForWallet, carry_receipt
from handsel.flows.acquiring.open_dispute import open_dispute
from handsel.flows.acquiring.prove_payments import prove_receipt
from handsel.flows.acquiring.refund_by_receipt import refund_by_receipt
from handsel.flows.acquiring.request_payment import PaymentRequest, cancel_payment_intent, create_payment_intent
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.flows.acquiring.show_dispute import show_dispute
from handsel.flows.issuing.name_shop import name_shop
from handsel.ids import new_id
from handsel.naming import naming_key_of
from handsel.order import HOLDS_S
from handsel.pay.dispute import DisputeStatus, Finding
from handsel.pay.money import Money
from handsel.pay.payment import Paid, PaymentIntent, PaymentStatus, Reserved
from handsel.pay.refund import RefundStatus
from handsel.pay.tip import TipOffer
from handsel.proof.receipt import verify_receipt
from handsel.receipt import SEALED_BYTES, PayersReceipt, read_statement, sign_statement
from handsel.till.acquirer import PapersAnswer
from handsel.till.action import ChargeAction
from handsel.till.journal import ChargeEntry
from handsel.till.seal_receipt import reply_key_of
from tests.flows.acquiring.crashing_store import crash_at_commit
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import SHOP, TILL, ShownAtTill, Street
from tests.flows.acquiring.test_receipts import SECRET, PaidAtTill, bring, deposit, lines, opened, seal

AMOUNT, TIP = 450, 50


def reserve(street: Street, *, tip_minor: int = TIP) -> tuple[PaymentIntent, ShownAtTill, ChargeEntry]:
    """
    Let ann reserve an amount and a tip; return the payment, what was sent, and what the till keeps.
    """
    request = PaymentRequest(
        new_id(), Money(AMOUNT, "EUR"), "Room 12", hold_s=HOLDS_S[0], tips=TipOffer(amounts_minor=(TIP,))
    )
    payment = create_payment_intent(street.acquirer, SHOP, request, now_ms=street.now_ms)
    shown = street.show_to_reserve("ann", payment, tip_minor=tip_minor, reply_key=reply_key_of(SECRET))
    action = ChargeAction(payment.id, AMOUNT, "EUR", SHOP.name, "Room 12", payment.hold_s, (), AMOUNT, tip_minor)
    entry = ChargeEntry(shown.sent.charge_id, action, street.now_ms, (), SECRET, street.codes[payment.id])
    return payment, shown, entry


def capture(street: Street, payment: PaymentIntent, minor: int | None = None, tip: int | None = None) -> PaymentIntent:
    return capture_payment_intent(
        street.acquirer, SHOP, payment.id, amount_minor=minor, tip_minor=tip, now_ms=street.now_ms
    )


def asked(street: Street, payment: PaymentIntent, entry: ChargeEntry) -> PaidAtTill:
    """
    Ask as the till does once the payment was captured.
    """
    paid = charge_state(street.acquirer, TILL, entry.charge_id)
    assert isinstance(paid, Paid)
    return PaidAtTill(street.payment(payment.id), entry.charge_id, entry, paid)


def captured(street: Street, minor: int | None = None, tip: int | None = None) -> PaidAtTill:
    payment, shown, entry = reserve(street)
    assert street.submit(shown) == Reserved()
    street.now_ms += 60_000
    capture(street, payment, minor, tip)
    return asked(street, payment, entry)


@pytest.mark.parametrize(("minor", "tip"), [(None, None), (320, 50), (450, 0), (1, 0)])
def test_the_wallet_opens_what_was_captured_with_the_notes_that_were_made_for_it(
    street: Street, minor: int | None, tip: int | None
) -> None:
    deposit(street)
    at_till = captured(street, minor, tip)
    bring(street, at_till)

    statement = read_statement(opened(street).signed, signer=street.acquirer.identity.public().sign)

    assert (statement.shop, statement.description, statement.charge_id) == (SHOP.name, "Room 12", at_till.charge_id)
    assert statement.amount_minor == (AMOUNT + TIP if minor is None else minor) == lines(street)[0].amount_minor
    assert (statement.tip_minor, statement.paid_ms) == (TIP if tip is None else tip, street.now_ms)
    with street.database.unit_of_work() as books:
        marks = books.notes.marks_of(at_till.charge_id)
    assert {note.serial for note in statement.notes} == {mark.serial for mark in marks}
    assert sum(mark.worth_minor for mark in marks) == statement.amount_minor


def test_until_it_is_captured_its_till_is_told_that_it_reserves_and_then_the_same_until_the_receipt_has_gone(
    street: Street,
) -> None:
    deposit(street)
    payment, shown, entry = reserve(street)
    assert street.submit(shown) == street.submit(shown) == charge_state(street.acquirer, TILL, entry.charge_id)
    street.issuer.line["capture"] = Line.CUT
    capture(street, payment, 300)
    assert charge_state(street.acquirer, TILL, entry.charge_id) == Reserved()
    street.issuer.line.clear()
    street.resolve()
    at_till = asked(street, payment, entry)
    street.restart()
    assert asked(street, payment, entry) == at_till

    bring(street, at_till)

    assert asked(street, payment, entry).paid == replace(at_till.paid, papers=None)


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_crash_at_any_commit_of_a_capture_leaves_its_receipt_whole(
    street: Street, at: int, is_committed: bool
) -> None:
    deposit(street)
    payment, shown, entry = reserve(street)
    street.submit(shown)

    def act(acquirer: Acquirer) -> object:
        return capture_payment_intent(acquirer, SHOP, payment.id, amount_minor=300, now_ms=street.now_ms)

    crash_at_commit(street, act, at=at, is_committed=is_committed)
    street.resolve()
    capture(street, payment, 300)
    bring(street, asked(street, payment, entry))

    assert read_statement(opened(street).signed).amount_minor == 300
    street.audit()


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_a_crash_while_reserving_does_not_lose_what_the_till_was_told(
    street: Street, at: int, is_committed: bool
) -> None:
    """
    Where it was voided there is nothing to be told, and its reply is in no books.
    """
    deposit(street)
    payment, shown, entry = reserve(street)

    def act(acquirer: Acquirer) -> object:
        return submit_charge(acquirer, TILL, shown.sent, now_ms=street.now_ms)

    assert crash_at_commit(street, act, at=at, is_committed=is_committed)
    street.resolve()
    if street.submit(shown) == Reserved():
        capture(street, payment, 300)
        bring(street, asked(street, payment, entry))
        assert read_statement(opened(street).signed).amount_minor == 300
    else:
        assert replies(street, entry.charge_id, entry.order_id) == (None, None)


def test_a_lost_answer_to_a_reservation_brings_the_reply_all_the_same(street: Street) -> None:
    deposit(street)
    payment, shown, entry = reserve(street)
    street.issuer.line["charge"] = Line.CUT
    assert street.submit(shown) == Reserved()
    street.issuer.line.clear()
    capture(street, payment)

    bring(street, asked(street, payment, entry))

    assert read_statement(opened(street).signed).amount_minor == AMOUNT + TIP


def test_what_was_given_back_has_no_receipt_and_its_reply_is_forgotten(street: Street) -> None:
    deposit(street)
    payment, shown, entry = reserve(street)
    street.submit(shown)
    assert None not in replies(street, entry.charge_id, entry.order_id)

    cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms)

    assert replies(street, entry.charge_id, entry.order_id) == (None, None)
    with pytest.raises(NotFound):
        carry_receipt(street.acquirer, TILL, entry.charge_id, SealedForWallet(new_id(), bytes(SEALED_BYTES[0]), b"l"))
    assert (lines(street), street.issuer.calls["take_receipt"]) == ((), 0)


def replies(street: Street, charge_id: str, order_id: str) -> tuple[bytes | None, bytes | None]:
    """
    Return what the acquirer and the issuer keep for the till of a charge.
    """
    with street.database.unit_of_work() as books:
        charge = books.payments.find_charge(charge_id)
    with street.issuer.issuer.database.unit_of_work() as uow:
        row = uow.row("SELECT reply FROM charges WHERE id = ?", order_id)
    return (charge.reply if charge else None), (row[0] if row else None)


@pytest.mark.parametrize(
    "change",
    [
        {"charge_id": "c9" * 16},
        {"currency": "CHF"},
        {"shop": "Bakery"},
        {"description": "Room 13"},
        {"amount_minor": AMOUNT + TIP + 1},
        {"amount_minor": AMOUNT + TIP, "tip_minor": TIP - 1},
        {"amount_minor": AMOUNT, "tip_minor": TIP + 1},
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"tip_minor": -1},
    ],
    ids=str,
)
def test_a_till_seals_no_more_than_was_shown_to_its_customer(street: Street, change: dict[str, object]) -> None:
    at_till = captured(street, 320, 0)
    assert at_till.paid.papers is not None
    stated = msgspec.structs.replace(read_statement(at_till.paid.papers.signed), **change)
    papers = replace(at_till.paid.papers, signed=sign_statement(stated, keys=street.acquirer.identity))

    with pytest.raises(EnvelopeInvalid):
        seal(street, replace(at_till, paid=replace(at_till.paid, papers=papers)))


def test_the_shop_is_named_where_the_payer_wants_it(street: Street) -> None:
    secret = street.acquirer.naming_secret(SHOP.id)
    name_shop(street.issuer.issuer, street.wallets["ann"], shop=SHOP.name, naming_key=naming_key_of(secret))

    bring(street, captured(street, 320, 0))

    assert [(line.shop, line.description) for line in lines(street)] == [(SHOP.name, "Room 12")]


def test_its_return_code_pays_back_what_was_captured_and_no_more(street: Street) -> None:
    at_till, _ = captured(street, 320, 20), street.pay()
    code = street.codes[at_till.payment.id]

    def give(minor: int | None) -> RefundStatus:
        request = RefundRequest(new_id(), at_till.payment.id, minor)
        return refund_by_receipt(street.acquirer, SHOP, request, return_code=code, now_ms=street.now_ms).refund.status

    with pytest.raises(BodyInvalid, match=r"at most 3\.20 EUR"):
        give(321)
    assert [give(120), give(None)] == [RefundStatus.SUCCEEDED] * 2
    assert street.wallet_minor() == 100_00 - 4_50
    street.audit()


def test_a_dispute_rests_on_it(street: Street) -> None:
    at_till, _ = captured(street, 320, 20), street.pay()
    assert at_till.paid.papers is not None
    code, signed = street.codes[at_till.payment.id], at_till.paid.papers.signed
    more = msgspec.structs.replace(read_statement(signed), amount_minor=321)
    altered = sign_statement(more, keys=street.acquirer.identity)
    receipt = PayersReceipt(altered.statement, altered.signature, code)
    assert open_dispute(street.acquirer, new_id(), receipt, now_ms=5).finding is Finding.AMOUNT_DIFFERS

    receipt = PayersReceipt(signed.statement, signed.signature, code)
    examined = open_dispute(street.acquirer, new_id(), receipt, now_ms=street.now_ms)
    request = RefundRequest(new_id(), at_till.payment.id, None)
    refund_by_receipt(street.acquirer, SHOP, request, return_code="", now_ms=street.now_ms)

    assert examined.finding is Finding.PAID_TO_MERCHANT
    assert examined.dispute is not None
    assert show_dispute(street.acquirer, examined.dispute.id).dispute.status is DisputeStatus.REFUNDED
    assert open_dispute(street.acquirer, new_id(), receipt, now_ms=street.now_ms).finding is Finding.REFUNDED


def test_it_is_proved_to_be_in_the_books(street: Street) -> None:
    at_till = captured(street, 320, 20)
    street.acquirer.tree.grow()

    proof = prove_receipt(street.acquirer, at_till.payment.receipt)

    proved = verify_receipt(proof, key=street.acquirer.tree.public)
    assert (proved.leaf.amount_minor, at_till.payment.status) == (320, PaymentStatus.SUCCEEDED)


def test_an_issuer_that_told_nothing_when_it_reserved_leaves_no_papers(street: Street) -> None:
    """
    As of a reservation that is older than this, or of a till that asks for no reply.
    """
    payment = street.reserve()
    capture(street, payment)
    with street.database.unit_of_work() as books:
        charge = books.payments.live_charge(payment.id)
    assert charge is not None

    told = charge_state(street.acquirer, TILL, charge.id)

    assert isinstance(told, Paid)
    assert told.papers is None


def test_papers_travel_to_the_till(street: Street) -> None:
    papers = captured(street).paid.papers
    assert papers is not None
    sent = PapersAnswer(papers.reply, papers.signed, papers.naming_secret)

    assert msgspec.json.decode(msgspec.json.encode(sent), type=PapersAnswer) == sent
