"""
What a till is answered, and what it can learn from it about a palm that it asks with: all of it, in one list.

How long an answer takes is not looked at here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from handsel.errors import HandselError, PalmInvalid
from handsel.flows.acquiring.carry_charge import ShownForCharge
from handsel.flows.acquiring.sign_in import register_till
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.pay.decline import DeclineReason
from handsel.web import till_bodies
from handsel.web.errors import ErrorDetail, error_body
from handsel.web.till_api import till_api_routes
from tests.flows.acquiring.street import TILL, Street
from tests.web.api import Api
from tests.web.near_server import TOKEN

NOTHING = "nothing: it is decided without the palm"
NO_ONE = "it is nobody's who could pay"
SOMEONE = "it is somebody's"

# What each reason tells a till of the palm that it asked with. That some say SOMEONE without a payment is what is left
# for a prober: the threat model says so. A new reason must be thought about here, before anybody is told it.
TELLS: dict[DeclineReason, str] = {
    DeclineReason.VOIDED: NOTHING,
    DeclineReason.RESERVATION_EXPIRED: NOTHING,  # Told to who captures, and never to a till.
    DeclineReason.ASKED_TOO_OFTEN: NOTHING,
    DeclineReason.TOO_MANY_ATTEMPTS: NOTHING,
    DeclineReason.WRONG_CODE: NOTHING,
    DeclineReason.CODE_USED: NOTHING,
    DeclineReason.CODE_EXPIRED: NOTHING,
    DeclineReason.NOTE_INVALID: NOTHING,
    DeclineReason.NOTE_KEY_EXPIRED: NOTHING,
    DeclineReason.NOTES_DO_NOT_ADD_UP: NOTHING,
    DeclineReason.NOTE_ALREADY_REDEEMED: NOTHING,
    DeclineReason.CURRENCY_DIFFERS: NOTHING,
    DeclineReason.NOT_CHARGED: NOTHING,  # Of a refund by receipt: no palm is shown, and no till is told.
    DeclineReason.MORE_THAN_CHARGED: NOTHING,
    DeclineReason.BOUND_TO_OTHER: NOTHING,
    DeclineReason.ALREADY_ENROLLED: SOMEONE,  # It takes a code, which is used up.
    DeclineReason.NOT_RECOGNISED: NO_ONE,
    DeclineReason.AMBIGUOUS: SOMEONE,  # Two rows matched. It counts as wrong, so that it locks.
    DeclineReason.PALM_PAUSED: SOMEONE,
    DeclineReason.WALLET_CLOSED: SOMEONE,
    DeclineReason.CONSENT_MISSING: NOTHING,
    DeclineReason.TOO_MANY_PALMS: NOTHING,
    DeclineReason.GALLERY_FULL: NOTHING,
    DeclineReason.OVER_LIMIT: SOMEONE,  # Where the sum alone is too large: nothing.
    DeclineReason.NEEDS_SECOND_FACTOR: SOMEONE,
    DeclineReason.PIN_LOCKED: SOMEONE,
    DeclineReason.WRONG_PIN: SOMEONE,
    DeclineReason.INSUFFICIENT_FUNDS: SOMEONE,
}

ENROLMENT_ONLY = {
    DeclineReason.ALREADY_ENROLLED,
    DeclineReason.CONSENT_MISSING,
    DeclineReason.TOO_MANY_PALMS,
    DeclineReason.GALLERY_FULL,
}

# Every field of every answer. There is no number among them: no score, no distance, no count, no rank.
FIELDS = {
    # Told before there is a palm.
    "ActionBody": {
        *("kind", "id", "amount_minor", "currency", "merchant", "description"),
        *("hold_s", "tips", "tip_minor_max"),
    },
    "TipChoiceBody": {"amount_minor", "percent"},
    "CurrentActionBody": {"action"},
    "PendingAnswerBody": set(),
    "DeclinedAnswerBody": {"reason"},
    "SignedAnswerBody": {"signatures"},
    "PaidAnswerBody": {"receipt_code", "papers"},
    "PapersBody": {"reply", "signed", "naming_secret"},  # The reply is sealed to the till; of one length.
    "ReservedAnswerBody": set(),
    "RefundedAnswerBody": {"receipt_code"},
    "EnrolledAnswerBody": set(),
    "CardAnswerBody": {"answer"},  # Sealed to the till; of one length.
}
ASKED = {
    "TillChargeBody",
    "TillVoidBody",
    "TillNotesBody",
    "TillReceiptBody",
    "TillRefundBody",
    "TillEnrolmentBody",
    "TillCardBody",
}


@pytest.fixture
def till(street: Street) -> Api:
    """
    Something that asks the acquirer as a till does, and reads the answers byte by byte.
    """
    register_till(street.acquirer, TILL, token=TOKEN)
    return Api(till_api_routes(street.acquirer, lambda: street.now_ms), TOKEN)


def charged(street: Street, till: Api, palm: str, minor: int = 450) -> bytes:
    return send(till, street.show(palm, street.ask(minor)).sent)


def send(till: Api, sent: ShownForCharge) -> bytes:
    names = ("charge_id", "order_id", "order", "secrets", "return_digest", "nonce", "queries")
    body = msgspec.to_builtins({name: getattr(sent, name) for name in names})
    return till.post("/v1/till/charges", {"payment_intent": sent.payment_id, **body}).content


def test_of_each_reason_it_is_known_what_it_tells() -> None:
    assert list(TELLS) == list(DeclineReason)


def test_what_is_decided_without_the_palm_comes_first() -> None:
    """
    Of an order that fails anyway nothing is said about the palm: reasons are given in their precedence.
    """
    of_charges = [reason for reason in TELLS if reason not in ENROLMENT_ONLY]
    first_about_palm = next(at for at, reason in enumerate(of_charges) if TELLS[reason] is not NOTHING)

    assert {TELLS[reason] for reason in of_charges[first_about_palm:]} == {NO_ONE, SOMEONE}


def test_every_field_of_every_answer_is_listed_and_none_could_hold_a_score() -> None:
    found = {
        name: {field.name for field in msgspec.structs.fields(kind)}
        for name, kind in inspect.getmembers(till_bodies, inspect.isclass)
        if issubclass(kind, msgspec.Struct) and kind.__module__ == till_bodies.__name__ and name not in ASKED
    }

    assert found == FIELDS
    assert {field.name for field in msgspec.structs.fields(ErrorDetail)} == {"code", "message", "is_retryable"}


@pytest.mark.parametrize("how", [erase_palm, close_wallet])
def test_nobody_an_erased_palm_and_one_without_a_wallet_are_answered_alike(
    street: Street, till: Api, how: Callable[..., object]
) -> None:
    """
    The matchers still know the palm: its order to be erased has not come yet.
    """
    wallet = street.enrol("gone")
    palm = show_wallet(street.issuer.issuer, wallet).palms[0].palm_id
    how(street.issuer.issuer, wallet, **({"palm_id": palm} if how is erase_palm else {}))

    answers = {charged(street, till, name) for name in ("gone", "nobody", "nobody else")}

    assert answers == {b'{"status":"declined","reason":"not_recognised"}'}


def test_a_till_that_must_wait_is_told_the_same_of_every_palm(street: Street, till: Api) -> None:
    for _ in range(street.acquirer.asking.wrong_in_a_row_max):
        charged(street, till, "nobody")

    answers = {charged(street, till, name) for name in ("ann", "nobody")}

    assert answers == {b'{"status":"declined","reason":"asked_too_often"}'}


@pytest.mark.parametrize(
    "failure", [PalmInvalid("what was sent is no palm"), HandselError("no answer")], ids=["no palm", "no answer"]
)
def test_an_error_says_the_same_of_every_palm(street: Street, till: Api, failure: HandselError) -> None:
    def fail() -> None:
        raise failure

    street.matchers.on_query = fail

    answers = {charged(street, till, name) for name in ("ann", "nobody")}

    assert answers == {msgspec.json.encode(error_body(failure))}


def test_queries_of_another_order_say_nothing_of_their_palm(street: Street, till: Api) -> None:
    def mixed(palm: str) -> bytes:
        sent = street.show("nobody", street.ask()).sent
        queries = street.show(palm, street.ask()).sent.queries
        return send(till, replace(sent, queries=queries))

    assert {mixed("ann"), mixed("nobody")} == {b'{"status":"declined","reason":"bound_to_other"}'}
