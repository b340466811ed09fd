"""
A till that asks too often, or too often in vain, is declined before anybody hears of the palm; others go on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from handsel.errors import EnvelopeInvalid, PalmInvalid, PartyUnavailable
from handsel.flows.acquiring.carry_charge import charge_state, submit_charge
from handsel.flows.acquiring.carry_enrolment import submit_enrolment
from handsel.flows.acquiring.limit_asking import WRONG_REASONS
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.matching.message import PerMatcher
from handsel.pay.asking import AskingLimits
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from handsel.pay.payment import Approved, ChargeState, PaymentStatus, Pending
from handsel.pay.refund import Refunded, RefundStatus
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.plain_matchers import PlainMatchers
from tests.flows.acquiring.street import SHOP, TILL, Street, at_once

TOO_OFTEN = Declined(DeclineReason.ASKED_TOO_OFTEN)
NOBODY = Declined(DeclineReason.NOT_RECOGNISED)
OTHER_TILL = Till("corner-cafe", "till-2")
IN_A_ROW = 3
LOCK_MS = 1000


@pytest.fixture
def asked(street: Street) -> list[str]:
    """
    Limits that are soon reached; and a list that grows with each palm that a matcher hears of.
    """
    street.acquirer = replace(
        street.acquirer,
        asking=AskingLimits(
            per_minute_max=50,
            per_day_max=100,
            wrong_in_a_row_max=IN_A_ROW,
            wrong_max=19,
            wrong_of=20,
            lock_ms_min=LOCK_MS,
            lock_ms_max=8 * LOCK_MS,
            forget_ms=3_600_000,
        ),
    )
    heard: list[str] = []
    street.matchers.on_query = lambda: heard.append("query")
    return heard


def limit(street: Street, **changes: int) -> None:
    street.acquirer = replace(street.acquirer, asking=replace(street.acquirer.asking, **changes))


def try_palm(street: Street, palm: str) -> ChargeState:
    return street.submit(street.show(palm, street.ask()))


def lock(street: Street) -> None:
    for _ in range(IN_A_ROW):
        assert try_palm(street, "nobody") == NOBODY


def test_a_locked_till_is_declined_before_anybody_is_asked(street: Street, asked: list[str]) -> None:
    lock(street)
    heard, charges, payment = len(asked), street.issuer.calls["charge"], street.ask()
    shown = street.show("ann", payment)

    assert street.submit(shown) == TOO_OFTEN

    assert (len(asked), street.issuer.calls["charge"]) == (heard, charges)
    assert charge_state(street.acquirer, TILL, shown.sent.charge_id) == TOO_OFTEN
    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    street.now_ms += LOCK_MS
    assert street.submit(shown) == TOO_OFTEN  # The same charge has the same outcome.
    assert isinstance(street.submit(street.show("ann", payment)), Approved)


def test_the_lock_doubles_and_a_recognised_palm_undoes_it(street: Street, asked: list[str]) -> None:
    lock(street)
    street.now_ms += LOCK_MS
    assert try_palm(street, "nobody") == NOBODY
    street.now_ms += 2 * LOCK_MS - 1
    assert try_palm(street, "ann") == TOO_OFTEN
    street.now_ms += 1
    assert isinstance(try_palm(street, "ann"), Approved)

    for _ in range(IN_A_ROW - 1):
        assert try_palm(street, "nobody") == NOBODY
    assert isinstance(try_palm(street, "ann"), Approved)


def test_other_tills_go_on(street: Street, asked: list[str]) -> None:
    register_till(street.acquirer, OTHER_TILL, token="o" * 64)
    lock(street)
    request = PaymentRequest(new_id(), Money(450, "EUR"), "Coffee", OTHER_TILL.name)
    payment = create_payment_intent(street.acquirer, SHOP, request, now_ms=street.now_ms)

    state = submit_charge(street.acquirer, OTHER_TILL, street.show("ann", payment).sent, now_ms=street.now_ms)

    assert isinstance(state, Approved)
    assert try_palm(street, "ann") == TOO_OFTEN


def test_a_restart_keeps_the_lock(street: Street, asked: list[str]) -> None:
    lock(street)

    street.restart()

    assert try_palm(street, "ann") == TOO_OFTEN


def test_refusals_do_not_cancel_the_payment(street: Street, asked: list[str]) -> None:
    lock(street)
    payment = street.ask()
    for _ in range(street.acquirer.bounds.charges_declined_max + 1):
        assert street.submit(street.show("ann", payment)) == TOO_OFTEN
    street.now_ms += LOCK_MS
    assert street.submit(street.show("nobody", payment)) == NOBODY
    street.now_ms += 2 * LOCK_MS

    assert isinstance(street.submit(street.show("ann", payment)), Approved)


def test_a_refund_is_declined_by_a_lock_and_counts_for_one(street: Street, asked: list[str]) -> None:
    refund = street.ask_refund(street.pay("ann", 450), 200)
    for _ in range(IN_A_ROW):
        assert street.submit_refund(street.show_for_refund("nobody", refund)) == NOBODY
    heard = len(asked)

    for _ in range(street.acquirer.bounds.charges_declined_max + 1):
        assert street.submit_refund(street.show_for_refund("ann", refund)) == TOO_OFTEN

    assert try_palm(street, "ann") == TOO_OFTEN
    assert len(asked) == heard
    street.now_ms += LOCK_MS
    assert street.submit_refund(street.show_for_refund("nobody", refund)) == NOBODY
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM
    street.now_ms += 2 * LOCK_MS
    assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)
    assert isinstance(try_palm(street, "ann"), Approved)
    street.redeem()


def test_an_enrolment_is_declined_by_a_lock_and_its_code_stays_good(street: Street, asked: list[str]) -> None:
    lock(street)
    code, begun = street.code(street.open_wallet("bob")), street.issuer.calls["begin_enrolment"]
    shown = street.show_for_enrolment("bob", code)

    for _ in range(2):
        assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == TOO_OFTEN

    assert street.issuer.calls["begin_enrolment"] == begun
    street.now_ms += LOCK_MS
    again = street.show_for_enrolment("bob", code)
    assert submit_enrolment(street.acquirer, TILL, again, now_ms=street.now_ms) == Enrolled()


def test_an_enrolment_whose_end_was_lost_is_not_called_declined_by_a_lock(street: Street, asked: list[str]) -> None:
    shown = street.show_for_enrolment("bob", street.code(street.open_wallet("bob")))
    street.issuer.line = {"complete_enrolment": Line.CUT}
    with pytest.raises(PartyUnavailable):
        submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms)
    street.issuer.line = {}
    lock(street)

    with pytest.raises(PartyUnavailable):
        submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms)

    street.now_ms += LOCK_MS
    assert submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms) == Enrolled()


def test_wrong_codes_lock_a_till_and_an_enrolment_undoes_nothing(street: Street, asked: list[str]) -> None:
    code = street.code(street.open_wallet("bob"))
    for _ in range(IN_A_ROW - 1):
        wrong = street.show_for_enrolment("bob", "0" * 8)
        outcome = submit_enrolment(street.acquirer, TILL, wrong, now_ms=street.now_ms)
        assert outcome == Declined(DeclineReason.WRONG_CODE)
    right = street.show_for_enrolment("bob", code)
    assert submit_enrolment(street.acquirer, TILL, right, now_ms=street.now_ms) == Enrolled()

    assert try_palm(street, "nobody") == NOBODY

    assert try_palm(street, "ann") == TOO_OFTEN


@pytest.mark.parametrize("kind", ["charge", "refund", "enrolment"])
def test_each_ask_counts_towards_the_minute(street: Street, asked: list[str], kind: str) -> None:
    payment, code = street.pay("ann", 450), street.code(street.open_wallet("bob"))
    street.now_ms += 60_000
    limit(street, per_minute_max=1)
    if kind == "charge":
        try_palm(street, "ann")
    elif kind == "refund":
        street.submit_refund(street.show_for_refund("ann", street.ask_refund(payment, 100)))
    else:
        submit_enrolment(street.acquirer, TILL, street.show_for_enrolment("bob", code), now_ms=street.now_ms)

    street.now_ms += 59_999
    assert try_palm(street, "ann") == TOO_OFTEN
    street.now_ms += 1
    assert isinstance(try_palm(street, "ann"), Approved)


class RefusingMatchers(PlainMatchers):
    """
    Refuse what was sent as a palm.
    """

    def answer_query(self, matcher: str, envelope: bytes) -> bytes:
        raise PalmInvalid("what was sent is no palm")

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        raise PalmInvalid("what was sent is no palm")


@pytest.mark.parametrize("kind", ["charge", "refund", "enrolment"])
def test_what_is_no_palm_locks_a_till(street: Street, asked: list[str], kind: str) -> None:
    refund, code = street.ask_refund(street.pay("ann", 450), 200), street.code(street.open_wallet("bob"))
    kept = street.matchers
    refusing = RefusingMatchers(street.matcher_keys, street.matchers.issuer)
    street.acquirer = replace(street.acquirer, matchers=refusing)
    enrolment = street.show_for_enrolment("bob", code)
    for _ in range(IN_A_ROW):
        with pytest.raises(PalmInvalid):
            if kind == "charge":
                try_palm(street, "noise")
            elif kind == "refund":
                street.submit_refund(street.show_for_refund("noise", refund))
            else:
                submit_enrolment(street.acquirer, TILL, enrolment, now_ms=street.now_ms)
    street.acquirer = replace(street.acquirer, matchers=kept)

    assert try_palm(street, "ann") == TOO_OFTEN


def test_a_party_that_does_not_answer_locks_nobody(street: Street, asked: list[str]) -> None:
    street.matchers.down = {"b"}
    for _ in range(2 * IN_A_ROW):
        with pytest.raises(PartyUnavailable):
            try_palm(street, "ann")
    street.matchers.down = set()
    street.issuer.line = {"charge": Line.LOST}
    for _ in range(2 * IN_A_ROW):
        assert try_palm(street, "ann") == Declined(DeclineReason.VOIDED)
    street.issuer.line = {}

    assert isinstance(try_palm(street, "ann"), Approved)


def test_an_outcome_that_is_learned_late_counts_once(street: Street, asked: list[str]) -> None:
    street.issuer.line = {"charge": Line.CUT, "void": Line.LOST}
    for _ in range(IN_A_ROW):
        assert try_palm(street, "nobody") == Pending()
    assert try_palm(street, "ann") == TOO_OFTEN
    street.issuer.line = {}

    street.resolve()

    limit(street, lock_ms_min=60_000, lock_ms_max=60_000)
    assert try_palm(street, "nobody") == NOBODY
    assert try_palm(street, "ann") == TOO_OFTEN


def test_charges_at_once_gain_nothing(street: Street, asked: list[str]) -> None:
    shown = [street.show("nobody", street.ask()) for _ in range(2 * IN_A_ROW)]

    states = at_once(*(partial(street.submit, each) for each in shown))

    assert (states.count(NOBODY), states.count(TOO_OFTEN)) == (IN_A_ROW, IN_A_ROW)
    assert len(asked) == 3 * IN_A_ROW  # Three matchers each.


def test_a_palm_that_cannot_pay_neither_locks_nor_undoes(street: Street, asked: list[str]) -> None:
    for _ in range(IN_A_ROW - 1):
        assert try_palm(street, "nobody") == NOBODY
    street.enrol("poor", minor=1_00)
    assert street.submit(street.show("poor", street.ask(1_01))) == Declined(DeclineReason.INSUFFICIENT_FUNDS)

    assert try_palm(street, "nobody") == NOBODY

    assert try_palm(street, "ann") == TOO_OFTEN


def test_a_query_that_does_not_open_tells_nothing_and_counts_as_nothing(street: Street, asked: list[str]) -> None:
    shown = street.show("ann", street.ask())
    for _ in range(2 * IN_A_ROW):
        each = street.show("ann", street.ask())
        with pytest.raises(EnvelopeInvalid):
            street.submit(replace(each, sent=replace(each.sent, queries=PerMatcher(b"", b"", b""))))

    assert isinstance(street.submit(shown), Approved)


def test_wrong_is_what_names_nobody() -> None:
    assert {str(reason) for reason in WRONG_REASONS} == {"not_recognised", "ambiguous", "wrong_code"}
