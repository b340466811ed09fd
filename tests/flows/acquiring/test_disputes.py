"""
Promise that a receipt proves what it says and nothing else, and that a case reaches its shop and ends once.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.answer_dispute import refuse_dispute
from handsel.flows.acquiring.open_dispute import Examined, open_dispute
from handsel.flows.acquiring.refund_by_receipt import refund_by_receipt
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.flows.acquiring.show_dispute import disputes_of, list_disputes, show_dispute
from handsel.flows.acquiring.withdraw_dispute import withdraw_dispute
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.pay.dispute import Dispute, DisputeStatus, Finding
from handsel.pay.held_note import NoteState
from handsel.pay.merchant import Merchant
from handsel.receipt import (
    CONTENT_BYTES,
    PayersReceipt,
    ReceiptNote,
    SignedStatement,
    name_of_signer,
    read_statement,
    sign_statement,
)
from tests.flows.acquiring.street import SHOP, Street
from tests.flows.acquiring.test_receipts import PaidAtTill, pay

BAKERY = Merchant("bakery", "Bakery")


def receipt_of(at_till: PaidAtTill) -> SignedStatement:
    assert at_till.paid.papers is not None
    return at_till.paid.papers.signed


def present(street: Street, signed: SignedStatement, *, code: str = "", dispute_id: str | None = None) -> Examined:
    receipt = PayersReceipt(signed.statement, signed.signature, code)
    return open_dispute(street.acquirer, dispute_id or new_id(), receipt, now_ms=street.now_ms)


def stated(street: Street, signed: SignedStatement, **change: object) -> SignedStatement:
    """
    Return another statement that the acquirer itself has signed.
    """
    altered = msgspec.structs.replace(read_statement(signed), **change)
    return sign_statement(altered, keys=street.acquirer.identity)


def case_of(examined: Examined) -> Dispute:
    assert examined.dispute is not None
    return examined.dispute


def test_a_receipt_proves_that_the_shop_was_paid_and_opens_a_case(street: Street) -> None:
    at_till = pay(street)
    for _ in ("while the notes are here", "after they went home"):
        assert present(street, receipt_of(at_till)).finding is Finding.PAID_TO_MERCHANT
        assert street.redeem() >= 0

    shown = list_disputes(street.acquirer, SHOP)

    assert [(case.payment, case.dispute.status) for case in shown] == [(at_till.payment, DisputeStatus.OPEN)]
    assert show_dispute(street.acquirer, shown[0].dispute.id) == shown[0]
    assert disputes_of(street.acquirer, at_till.payment) == (shown[0].dispute,)
    assert list_disputes(street.acquirer, BAKERY) == ()


def test_what_was_altered_or_made_up_is_forged(street: Street) -> None:
    at_till = pay(street)
    signed = receipt_of(at_till)
    statement = read_statement(signed)
    other = pay(street)
    for forged in (
        SignedStatement(signed.statement.replace("450", "950"), signed.signature),
        SignedStatement(signed.statement, bytes(64)),
        SignedStatement(signed.statement, b""),
        SignedStatement(signed.statement, receipt_of(other).signature),
        sign_statement(statement, keys=PartyKeys.generate()),
    ):
        assert present(street, forged) == Examined(Finding.FORGED)
    assert list_disputes(street.acquirer, SHOP) == ()


def test_a_receipt_of_another_acquirer_is_not_ours(street: Street) -> None:
    elsewhere = PartyKeys.generate()
    statement = msgspec.structs.replace(
        read_statement(receipt_of(pay(street))), acquirer=name_of_signer(elsewhere.public().sign)
    )

    assert present(street, sign_statement(statement, keys=elsewhere)) == Examined(Finding.NOT_OURS)


def test_a_receipt_that_the_books_do_not_have_is_said_to_be_so(street: Street) -> None:
    signed, other = receipt_of(pay(street)), pay(street)
    for change in ({"receipt_code": new_id()}, {"charge_id": new_id()}, {"charge_id": other.charge_id}):
        assert present(street, stated(street, signed, **change)) == Examined(Finding.NOT_IN_BOOKS)


def test_another_amount_or_other_notes_than_the_books_have_differ(street: Street) -> None:
    """
    Only the acquirer itself could have signed these: it does not get away with it.
    """
    signed = receipt_of(pay(street))
    notes = read_statement(signed).notes
    strange = ReceiptNote(notes[0].key_id, b"s" * 32)
    changes: tuple[dict[str, object], ...] = (
        {"amount_minor": 451},
        {"currency": "CHF"},
        {"notes": notes[1:]},
        {"notes": (strange, *notes[1:])},
    )
    for change in changes:
        examined = present(street, stated(street, signed, **change))

        assert examined.finding is Finding.AMOUNT_DIFFERS
        assert examined.dispute is not None


def test_notes_that_the_issuer_refused_are_found(street: Street) -> None:
    at_till = pay(street)
    with street.database.unit_of_work() as books:
        mark = books.notes.marks_of(at_till.charge_id)[0]
        books.notes._uow.execute("INSERT INTO redemptions (id, attempt_id, is_done) VALUES (?, NULL, 1)", "d" * 32)
        books.notes._uow.execute(
            "UPDATE notes SET state = ?, redemption_id = ?, place = 0, reason = 'note_already_redeemed'"
            " WHERE serial = ?",
            *(NoteState.REFUSED.value, "d" * 32, mark.serial),
        )
        books.commit()

    assert present(street, receipt_of(at_till)).finding is Finding.NOTES_REFUSED


def test_what_was_paid_back_is_found_and_nothing_is_left_to_dispute(street: Street) -> None:
    at_till, _ = pay(street), street.pay()
    give(street, at_till, 100)
    partly = present(street, receipt_of(at_till))
    give(street, at_till, None)

    wholly = present(street, receipt_of(at_till))

    assert (partly.finding, case_of(partly).status) == (Finding.PARTLY_REFUNDED, DisputeStatus.OPEN)
    assert wholly == Examined(Finding.REFUNDED)


def give(street: Street, at_till: PaidAtTill, minor: int | None, *, code: str | None = None) -> None:
    request = RefundRequest(new_id(), at_till.payment.id, minor)
    shown = at_till.entry.return_code if code is None else code
    refund_by_receipt(street.acquirer, SHOP, request, return_code=shown, now_ms=street.now_ms)


def test_the_shop_pays_back_without_the_code_while_a_case_is_open_and_that_ends_it(street: Street) -> None:
    at_till, _ = pay(street), street.pay()
    with pytest.raises(BodyInvalid):
        give(street, at_till, 100, code="")
    case = case_of(present(street, receipt_of(at_till), code=at_till.entry.return_code))

    give(street, at_till, 100, code="")

    assert show_dispute(street.acquirer, case.id).dispute == case.ended(DisputeStatus.REFUNDED, now_ms=street.now_ms)
    assert street.wallet_minor() == 100_00 - 9_00 + 1_00
    with pytest.raises(BodyInvalid):
        give(street, at_till, 100, code="")
    street.audit()


@pytest.mark.parametrize("shown", ["nothing", "another"])
def test_a_receipt_without_its_code_opens_a_case_and_pays_back_only_with_it(street: Street, shown: str) -> None:
    at_till, other = pay(street), pay(street)
    code = other.entry.return_code if shown == "another" else ""
    case = case_of(present(street, receipt_of(at_till), code=code))
    with pytest.raises(BodyInvalid, match="return code"):
        give(street, at_till, 100, code="")

    again = case_of(present(street, receipt_of(at_till), code=at_till.entry.return_code))

    assert (case.order_id, again.id, again.order_id) == (None, case.id, at_till.entry.order_id)
    give(street, at_till, 100, code="")
    assert show_dispute(street.acquirer, case.id).dispute.order_id is None


@pytest.mark.parametrize("way", ["refused", "withdrawn", "by palm"])
def test_a_case_forgets_the_order_id_however_it_ends(street: Street, way: str) -> None:
    at_till, _ = pay(street), street.pay()
    case = case_of(present(street, receipt_of(at_till), code=at_till.entry.return_code))
    if way == "refused":
        refuse_dispute(street.acquirer, SHOP, case.id, now_ms=street.now_ms)
    elif way == "withdrawn":
        withdraw_dispute(street.acquirer, case.id, now_ms=street.now_ms)
    else:
        street.submit_refund(street.show_for_refund("ann", street.ask_refund(at_till.payment, 100)))

    with street.database.unit_of_work() as books:
        assert books.disputes._uow.rows("SELECT order_id FROM disputes") == [(None,)]
    with pytest.raises(BodyInvalid):
        give(street, at_till, 100, code="")


def test_a_refund_to_the_palm_ends_a_case_as_well(street: Street) -> None:
    at_till, _ = pay(street), street.pay()
    case = case_of(present(street, receipt_of(at_till)))
    refund = street.ask_refund(at_till.payment, 100)

    street.submit_refund(street.show_for_refund("ann", refund))

    assert show_dispute(street.acquirer, case.id).dispute.status is DisputeStatus.REFUNDED


def test_the_shop_may_say_no_and_who_opened_a_case_may_take_it_back(street: Street) -> None:
    refused = case_of(present(street, receipt_of(pay(street))))
    withdrawn = case_of(present(street, receipt_of(pay(street))))
    with pytest.raises(NotFound):
        refuse_dispute(street.acquirer, BAKERY, refused.id, now_ms=street.now_ms)

    for _ in range(2):
        assert refuse_dispute(street.acquirer, SHOP, refused.id, now_ms=5).status is DisputeStatus.REFUSED
        assert withdraw_dispute(street.acquirer, withdrawn.id, now_ms=5).status is DisputeStatus.WITHDRAWN

    assert withdraw_dispute(street.acquirer, refused.id, now_ms=6).status is DisputeStatus.REFUSED
    assert refuse_dispute(street.acquirer, SHOP, withdrawn.id, now_ms=6).status is DisputeStatus.WITHDRAWN
    for act in (show_dispute, lambda acquirer, case: withdraw_dispute(acquirer, case, now_ms=5)):
        with pytest.raises(NotFound):
            act(street.acquirer, new_id())


def test_a_receipt_that_is_presented_again_leads_to_the_open_case(street: Street) -> None:
    at_till, other = pay(street), pay(street)
    case = case_of(present(street, receipt_of(at_till)))

    again = [present(street, receipt_of(at_till)), present(street, receipt_of(at_till), dispute_id=case.id)]

    assert [case_of(each) for each in again] == [case, case]
    assert len(list_disputes(street.acquirer, SHOP)) == 1
    with pytest.raises(IdReused):
        present(street, receipt_of(other), dispute_id=case.id)
    withdraw_dispute(street.acquirer, case.id, now_ms=street.now_ms)
    ended = present(street, receipt_of(at_till), dispute_id=case.id)
    assert case_of(ended).status is DisputeStatus.WITHDRAWN


def test_one_receipt_keeps_a_shop_busy_only_so_far(street: Street) -> None:
    signed = receipt_of(pay(street))
    bounds = replace(street.acquirer.bounds, disputes_max=2)
    street.acquirer = replace(street.acquirer, bounds=bounds)
    for _ in range(2):
        withdraw_dispute(street.acquirer, case_of(present(street, signed)).id, now_ms=street.now_ms)

    assert present(street, signed) == Examined(Finding.PAID_TO_MERCHANT)
    assert len(list_disputes(street.acquirer, SHOP)) == 2


def test_what_is_no_receipt_is_refused(street: Street) -> None:
    signed = receipt_of(pay(street))
    long = SignedStatement(signed.statement + " " * CONTENT_BYTES[-1], signed.signature)
    for each in (long, SignedStatement("{}", bytes(64)), SignedStatement("", b"")):
        with pytest.raises(BodyInvalid):
            present(street, each)
    with pytest.raises(BodyInvalid):
        present(street, signed, dispute_id="x")
