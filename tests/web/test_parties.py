"""
Over HTTP everybody says the same as in one process: acquirer, issuer and matchers on loopback.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from handsel.config import Link, Secret
from handsel.errors import BodyInvalid, ConfigError, EnvelopeInvalid, IdReused, NotFound, PartyUnavailable
from handsel.flows.acquiring.accounts import settlement
from handsel.flows.acquiring.announced_keys import AnnouncedKeys
from handsel.flows.acquiring.capture_payment import capture_payment_intent
from handsel.flows.acquiring.carry_enrolment import submit_enrolment
from handsel.flows.acquiring.ports import Enrolled, Issuer, Matchers, Reserved, Unanswered, Voided
from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.flows.issuing.deliver_orders import Delivered, deliver_orders
from handsel.ids import new_id
from handsel.log import Log
from handsel.matching.message import PerMatcher
from handsel.notes.announce import TrustedNoteKeys
from handsel.notes.mint import prepare
from handsel.order import HOLDS_S, NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from handsel.pay.payment import PaymentStatus
from handsel.pay.refund import Refunded, RefundStatus
from handsel.till.seal_receipt import reply_key_of
from handsel.web.app import bearer, build_app, post
from handsel.web.issuer import issuer_routes
from handsel.web.matcher_bodies import AnswerBody, ConfirmationBody, MatcherEnrolmentBody, OrderBody, QueryBody
from handsel.web.matcher_orders import HttpMatcherOrders
from handsel.web.parties import HttpIssuer, HttpMatchers
from tests.flows.acquiring.near_issuer import ACQUIRER
from tests.flows.acquiring.plain_matchers import PlainMatchers
from tests.flows.acquiring.street import SHOP, TILL, Street
from tests.web.near_server import TOKEN, answering, nobody, serving

CALLERS = {ACQUIRER: Secret(TOKEN)}


@asynccontextmanager
async def nothing(_: Starlette) -> AsyncIterator[None]:
    """
    Do nothing around the serving.
    """
    yield


def build(routes: Sequence[BaseRoute]) -> ASGIApp:
    return build_app(routes, log=Log("test", io.StringIO()), hosts=frozenset({"127.0.0.1"}), lifespan=nothing)


def matcher_routes(matchers: PlainMatchers, name: str) -> list[BaseRoute]:
    """
    Serve one of the plain matchers as a real one is served, below a path of its own.
    """

    def answered(_: str, __: Mapping[str, str], body: QueryBody) -> AnswerBody:
        return AnswerBody(matchers.answer_query(name, body.envelope))

    def enrolled(_: str, __: Mapping[str, str], body: MatcherEnrolmentBody) -> AnswerBody:
        return AnswerBody(matchers.enrol(name, template=body.template, alias_share=body.alias_share))

    def ordered(_: str, __: Mapping[str, str], body: OrderBody) -> ConfirmationBody:
        signed = matchers.carry_out(name, order=body.order, signature=body.signature)
        return ConfirmationBody(signed.confirmation, signed.signature)

    caller = bearer(CALLERS)
    return [
        post(f"/{name}/v1/queries", caller, QueryBody, answered),
        post(f"/{name}/v1/enrolments", caller, MatcherEnrolmentBody, enrolled),
        post(f"/{name}/v1/orders", caller, OrderBody, ordered),
    ]


@pytest.fixture
def links(street: Street) -> Iterator[dict[str, Link]]:
    """
    Links to the three matchers, by name, and to the issuer.
    """
    routes: list[BaseRoute] = [*issuer_routes(street.issuer.issuer, CALLERS, lambda: None)]
    for name in "abc":
        routes += matcher_routes(street.matchers, name)
    with serving(build(routes)) as link:
        yield {"issuer": link, **{name: Link(f"{link.url}/{name}", link.token) for name in "abc"}}


@pytest.fixture
def issuer(links: dict[str, Link]) -> Iterator[HttpIssuer]:
    """
    The issuer, over HTTP.
    """
    made = HttpIssuer(links["issuer"])
    yield made
    made.close()


@pytest.fixture
def far_street(street: Street, links: dict[str, Link], issuer: HttpIssuer) -> Iterator[Street]:
    """
    The street, with HTTP between the acquirer and all others.
    """
    matchers = HttpMatchers({name: links[name] for name in "abc"})
    trusted = TrustedNoteKeys(street.issuer.issuer.note_keys.root(), street.directory / "far-note-keys.json")
    # The ports are what the flows know of these; that they fit is for the type checker to say.
    parties: tuple[Issuer, Matchers] = (issuer, matchers)
    street.acquirer = replace(
        street.acquirer, issuer=parties[0], matchers=parties[1], keys=AnnouncedKeys(parties[0], trusted)
    )
    yield street
    matchers.close()


def test_what_is_reserved_is_captured_in_part_or_given_back(far_street: Street) -> None:
    taken, released = far_street.reserve("ann", 450), far_street.reserve("ann", 200)
    now_ms = far_street.now_ms

    captured = capture_payment_intent(far_street.acquirer, SHOP, taken.id, amount_minor=320, now_ms=now_ms)
    canceled = cancel_payment_intent(far_street.acquirer, SHOP, released.id, now_ms=now_ms)

    assert (captured.status, captured.received) == (PaymentStatus.SUCCEEDED, Money(320, "EUR"))
    assert canceled.status is PaymentStatus.CANCELED
    assert far_street.wallet_minor() == far_street.available_minor() == 100_00 - 320
    far_street.audit()


def test_the_issuers_answers_about_a_reservation_arrive_as_they_are(far_street: Street, issuer: HttpIssuer) -> None:
    payment = far_street.ask(450, hold_s=HOLDS_S[0])
    shown = far_street.show_to_reserve("ann", payment, reply_key=reply_key_of(b"r" * 32))
    far_street.submit(shown)
    order_id, charge_id = shown.sent.order_id, shown.sent.charge_id
    with far_street.database.unit_of_work() as books:
        kept = books.payments.find_charge(charge_id)
    assert kept is not None
    assert kept.reply is not None

    assert issuer.void(order_id) == Reserved(450, far_street.now_ms + HOLDS_S[0] * 1000, kept.reply)
    with pytest.raises(BodyInvalid, match="at most what is reserved"):
        issuer.capture(order_id, amount=Money(451, "EUR"), requests=(NoteRequest("00" * 16, b"m"),))
    wrong = issuer.capture(order_id, amount=Money(450, "EUR"), requests=(NoteRequest("00" * 16, b"m"),))
    assert wrong == Declined(DeclineReason.NOTE_INVALID)
    assert issuer.give_back(order_id) == issuer.give_back(order_id) == Voided()
    with pytest.raises(NotFound):
        issuer.give_back(new_id())


def test_a_payment_is_paid_redeemed_and_refunded(far_street: Street) -> None:
    payment = far_street.pay("ann", 450)
    far_street.redeem()
    refund = far_street.ask_refund(payment, 200)

    state = far_street.submit_refund(far_street.show_for_refund("ann", refund))

    assert state == Refunded(payment.receipt)
    assert far_street.payment(payment.id).status is PaymentStatus.SUCCEEDED
    assert far_street.refund(refund.id).status is RefundStatus.SUCCEEDED
    assert (far_street.wallet_minor(), far_street.in_hand(settlement)) == (100_00 - 250, 250)
    far_street.audit()


def test_a_palm_is_enrolled_and_the_matchers_are_told(far_street: Street, links: dict[str, Link]) -> None:
    shown = far_street.show_for_enrolment("bob", far_street.code(far_street.open_wallet("bob", minor=10_00)))

    assert submit_enrolment(far_street.acquirer, TILL, shown, now_ms=far_street.now_ms) == Enrolled()
    orders = HttpMatcherOrders({name: links[name] for name in "abc"})
    assert deliver_orders(far_street.issuer.issuer, orders) == Delivered(3, ())
    orders.close()

    far_street.pay("bob", 450)
    assert far_street.wallet_minor("bob") == 10_00 - 450


def test_declines_come_with_their_reasons(far_street: Street, issuer: HttpIssuer) -> None:
    payment = far_street.pay("ann", 450)
    refund = far_street.show_for_refund("nobody", far_street.ask_refund(payment))
    code = far_street.show_for_enrolment("bob", "00000000")

    assert far_street.submit(far_street.show("nobody", far_street.ask())) == Declined(DeclineReason.NOT_RECOGNISED)
    assert far_street.submit_refund(refund) == Declined(DeclineReason.NOT_RECOGNISED)
    assert submit_enrolment(far_street.acquirer, TILL, code, now_ms=1) == Declined(DeclineReason.WRONG_CODE)


def test_a_charge_that_never_came_is_voided(issuer: HttpIssuer) -> None:
    order_id = new_id()

    assert issuer.void(order_id) == Voided()
    assert issuer.void(order_id) == Voided()


def test_a_void_returns_what_became_of_a_charge(far_street: Street, issuer: HttpIssuer) -> None:
    approved, declined = far_street.show("ann", far_street.ask()), far_street.show("nobody", far_street.ask())
    state = far_street.submit(approved)
    far_street.submit(declined)

    found = issuer.void(approved.sent.order_id)

    assert getattr(found, "signatures", None) == getattr(state, "signatures", ())
    assert issuer.void(declined.sent.order_id) == Declined(DeclineReason.NOT_RECOGNISED)


def test_what_the_issuer_refuses_is_raised_here(far_street: Street, issuer: HttpIssuer) -> None:
    nothing_sealed = PerMatcher(b"", b"", b"")
    keys = far_street.acquirer.keys.at(far_street.now_ms)
    _, requests = prepare(1, currency="EUR", keys=keys, random_bytes=far_street.acquirer.random_bytes, now_ms=0)
    _, others = prepare(2, currency="EUR", keys=keys, random_bytes=far_street.acquirer.random_bytes, now_ms=0)
    purchase_id = new_id()

    with pytest.raises(EnvelopeInvalid):
        issuer.charge(new_id(), order=b"", answers=nothing_sealed, notes_digest=b"")
    with pytest.raises(NotFound):
        issuer.complete_enrolment(new_id(), answers=nothing_sealed)
    assert issuer.buy_notes(purchase_id, requests=requests) == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    with pytest.raises(IdReused):
        issuer.buy_notes(purchase_id, requests=others)


def test_notes_are_redeemed_or_refused_by_serial(far_street: Street, issuer: HttpIssuer) -> None:
    shown = far_street.show("ann", far_street.ask(3))
    notes = far_street.notes(shown, far_street.submit(shown))

    first = issuer.redeem(new_id(), notes=notes[:1])
    second = issuer.redeem(new_id(), notes=notes)

    assert (first.serials, first.refused) == ((notes[0].serial,), ())
    assert second.serials == (notes[1].serial,)
    assert [(each.serial, each.reason) for each in second.refused] == [
        (notes[0].serial, DeclineReason.NOTE_ALREADY_REDEEMED)
    ]
    proof = second.refused[0].proof
    assert proof is not None and far_street.acquirer.keys.is_proof(proof, serial=notes[0].serial)
    assert not far_street.acquirer.keys.is_proof(proof, serial=notes[1].serial)
    assert not far_street.acquirer.keys.is_proof(b"", serial=notes[0].serial)


def test_a_matcher_that_is_gone_and_one_that_cannot_open_are_told_apart(links: dict[str, Link]) -> None:
    matchers = HttpMatchers({"a": links["a"], "b": nobody(), "c": links["c"]})

    with pytest.raises(PartyUnavailable):
        matchers.answer_query("b", b"")
    with pytest.raises(EnvelopeInvalid):
        matchers.answer_query("a", b"")
    matchers.close()


def test_an_issuer_that_is_gone_was_certainly_not_asked() -> None:
    issuer = HttpIssuer(nobody())

    with pytest.raises(PartyUnavailable):
        issuer.charge(new_id(), order=b"", answers=PerMatcher(b"", b"", b""), notes_digest=b"")
    issuer.close()


def test_an_issuer_that_hangs_up_may_have_been_asked() -> None:
    envelopes = PerMatcher(b"", b"", b"")

    with answering(b"") as link:
        issuer = HttpIssuer(link)
        assert issuer.charge(new_id(), order=b"", answers=envelopes, notes_digest=b"") == Unanswered()
        issuer.close()
    with answering(b"") as link:
        issuer = HttpIssuer(link)
        assert issuer.refund(new_id(), order=b"", answers=envelopes, notes=()) == Unanswered()
        issuer.close()
    with answering(b"") as link, pytest.raises(PartyUnavailable):
        HttpIssuer(link).void(new_id())


def test_a_link_with_a_wrong_token_is_a_wrong_setting(links: dict[str, Link]) -> None:
    issuer = HttpIssuer(Link(links["issuer"].url, Secret("w" * 64)))

    with pytest.raises(ConfigError):
        issuer.note_keys()
    issuer.close()


@pytest.mark.parametrize("names", ["", "ab", "abcd"])
def test_there_are_three_matchers(names: str) -> None:
    with pytest.raises(ConfigError):
        HttpMatchers({name: nobody() for name in names})
    with pytest.raises(ConfigError):
        HttpMatcherOrders({name: nobody() for name in names})
