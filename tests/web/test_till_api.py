"""
What a till's client says and what the acquirer's routes understand is the same: a payment over HTTP, from end to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.config import Link, Secret
from handsel.errors import AccessDenied, BadInput, NotFound
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.notes.announce import TrustedNoteKeys
from handsel.notes.mint import finalize_all
from handsel.till.acquirer import (
    ChargeRequest,
    DeclinedAnswer,
    EnrolledAnswer,
    EnrolmentAnswer,
    EnrolmentRequest,
    PaidAnswer,
    RefundedAnswer,
    RefundRequest,
    SignedAnswer,
)
from handsel.till.action import ChargeAction, RefundAction
from handsel.till.client import AcquirerClient, open_http
from handsel.web.bodies import proof_of
from handsel.web.till_api import till_api_routes
from tests.flows.acquiring.street import TILL, ShownAtTill, Street
from tests.web.near_server import TOKEN, serving
from tests.web.test_parties import build


@pytest.fixture
def link(street: Street) -> Iterator[Link]:
    """
    Serve the acquirer's routes for tills.
    """
    register_till(street.acquirer, TILL, token=TOKEN)
    with serving(build(till_api_routes(street.acquirer, lambda: street.now_ms))) as found:
        yield found


@pytest.fixture
def trusted(street: Street, tmp_path: Path) -> TrustedNoteKeys:
    """
    What a till trusts.
    """
    return TrustedNoteKeys(street.issuer.issuer.note_keys.root(), tmp_path / "note-keys.json")


@pytest.fixture
def client(link: Link, trusted: TrustedNoteKeys) -> Iterator[AcquirerClient]:
    """
    The client of a till, connected.
    """
    with open_http(link) as http:
        yield AcquirerClient(http, trusted)


def request_of(shown: ShownAtTill) -> ChargeRequest:
    sent = shown.sent
    return ChargeRequest(
        *(sent.charge_id, sent.order_id, sent.payment_id, sent.order, sent.secrets, sent.return_digest, sent.nonce),
        *proof_of(sent.queries),
    )


def test_a_payment_is_shown_signed_and_paid_once(street: Street, client: AcquirerClient) -> None:
    assert client.action() is None
    payment = street.ask(450)
    assert client.action() == ChargeAction(payment.id, 450, "EUR", "Corner Café", "Coffee")
    shown = street.show("ann", payment)

    signed = client.charge(request_of(shown))

    assert isinstance(signed, SignedAnswer)
    assert client.charge(request_of(shown)) == signed
    assert client.charge_state(shown.sent.charge_id) == signed
    notes = finalize_all(shown.kept, signed.signatures, keys=client.note_keys())
    paid = client.hand_over(shown.sent.charge_id, notes)
    assert client.hand_over(shown.sent.charge_id, notes) == paid
    receipt_code = street.payment(payment.id).receipt
    assert client.charge_state(shown.sent.charge_id) == paid == PaidAnswer(receipt_code)
    assert client.action() is None


def test_a_stranger_is_declined_and_why(street: Street, client: AcquirerClient) -> None:
    shown = street.show("nobody", street.ask())

    assert client.charge(request_of(shown)) == DeclinedAnswer("not_recognised")
    assert client.charge_state(shown.sent.charge_id) == DeclinedAnswer("not_recognised")


def test_a_refund_reaches_whoever_shows_the_palm(street: Street, client: AcquirerClient) -> None:
    payment = street.pay("ann", 450)
    street.redeem()
    refund = street.ask_refund(payment, 100)
    assert client.action() == RefundAction(refund.id, 100, "EUR", "Corner Café", "Coffee")
    shown = street.show_for_refund("ann", refund)
    request = RefundRequest(shown.attempt_id, shown.refund_id, shown.order_id, shown.order, *proof_of(shown.queries))

    assert client.refund(request) == client.refund(request) == RefundedAnswer(payment.receipt)
    assert street.wallet_minor() == 100_00 - 350


def test_a_palm_is_enrolled_with_a_code(street: Street, client: AcquirerClient) -> None:
    wallet_id = street.open_wallet("bob")
    wrong = street.show_for_enrolment("bob", "0" * 8)
    right = street.show_for_enrolment("bob", street.code(wallet_id))

    def enrol(shown: ShownForEnrolment) -> EnrolmentAnswer:
        return client.enrol(EnrolmentRequest(shown.enrolment_id, shown.order_id, shown.order, shown.templates))

    assert enrol(wrong) == DeclinedAnswer("wrong_code")
    assert enrol(right) == EnrolledAnswer()


def test_a_till_without_its_token_learns_nothing(street: Street, link: Link, trusted: TrustedNoteKeys) -> None:
    payment = street.ask()
    with open_http(Link(link.url, Secret("w" * 64))) as http:
        stranger = AcquirerClient(http, trusted)

        with pytest.raises(AccessDenied):
            stranger.action()
        with pytest.raises(AccessDenied):
            stranger.note_keys()
        with pytest.raises(AccessDenied):
            stranger.charge(request_of(street.show("ann", payment)))
    assert street.wallet_minor() == 100_00


def test_a_charge_that_was_given_up_is_declined_when_it_comes_late(street: Street, client: AcquirerClient) -> None:
    """
    A till that gave up has forgotten what its notes would take: nothing may be debited for it any more.
    """
    payment = street.ask()
    late = request_of(street.show("ann", payment))

    given_up = client.void_charge(late.charge_id, payment_intent=payment.id)
    arrived = client.charge(late)

    assert given_up == arrived == DeclinedAnswer("voided")
    assert street.wallet_minor() == 100_00


def test_a_charge_that_was_carried_out_is_not_given_up(street: Street, client: AcquirerClient) -> None:
    payment = street.ask()
    sent = request_of(street.show("ann", payment))
    signed = client.charge(sent)

    assert isinstance(signed, SignedAnswer)
    assert client.void_charge(sent.charge_id, payment_intent=payment.id) == signed


def test_what_is_not_there_is_not_found(street: Street, client: AcquirerClient) -> None:
    with pytest.raises(NotFound):
        client.charge_state(new_id())
    with pytest.raises(BadInput):
        client.hand_over(new_id(), ())
    with pytest.raises(NotFound):
        client.void_charge(new_id(), payment_intent=new_id())
