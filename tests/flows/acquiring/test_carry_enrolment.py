"""
An enrolment is carried, and of it nothing stays but that it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.errors import EnvelopeInvalid, GalleryFull, IdReused, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.acquiring.sign_in import register_till
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.pay.payment import Approved
from tests.flows.acquiring.crashing_store import crash_at_call, crash_at_commit
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.plain_matchers import PlainMatchers
from tests.flows.acquiring.street import NOW_MS, TILL, Street, at_once


@pytest.fixture
def shown(street: Street) -> ShownForEnrolment:
    """
    The palm of `bob`, who has a wallet with 10.00 EUR and a code, as the till sends it.
    """
    return street.show_for_enrolment("bob", street.code(street.open_wallet("bob", minor=10_00)))


def submit(street: Street, shown: ShownForEnrolment) -> Enrolled | Declined:
    return submit_enrolment(street.acquirer, TILL, shown, now_ms=street.now_ms)


def test_an_enrolled_palm_pays_from_its_wallet(street: Street, shown: ShownForEnrolment) -> None:
    assert submit(street, shown) == Enrolled()
    street.deliver()

    assert isinstance(street.submit(street.show("bob", street.ask(450))), Approved)
    assert (street.wallet_minor("bob"), street.wallet_minor("ann")) == (10_00 - 450, 100_00)


def test_a_wrong_code_is_declined_before_any_matcher_is_asked(street: Street) -> None:
    street.matchers.down = {"a", "b", "c"}
    wrong = street.show_for_enrolment("bob", "00000000")

    assert submit(street, wrong) == Declined(DeclineReason.WRONG_CODE)
    assert submit(street, wrong) == Declined(DeclineReason.WRONG_CODE)
    assert street.issuer.calls["begin_enrolment"] == 1


def test_a_palm_that_is_enrolled_already_is_declined(street: Street) -> None:
    again = street.show_for_enrolment("ann", street.code(street.open_wallet("second")))

    assert submit(street, again) == Declined(DeclineReason.ALREADY_ENROLLED)


def test_a_repeated_enrolment_is_answered_and_not_repeated(street: Street, shown: ShownForEnrolment) -> None:
    submit(street, shown)
    calls = dict(street.issuer.calls)

    assert submit(street, shown) == Enrolled()
    assert dict(street.issuer.calls) == calls


def test_a_double_tap_enrols_once(street: Street, shown: ShownForEnrolment) -> None:
    def act() -> str:
        try:
            return type(submit(street, shown)).__name__
        except PartyUnavailable:
            return "under way"

    outcomes = at_once(*(act for _ in range(4)))

    assert "Enrolled" in outcomes
    assert street.issuer.calls["complete_enrolment"] == 1


def test_an_enrolment_belongs_to_one_till(street: Street, shown: ShownForEnrolment) -> None:
    other = Till("corner-cafe", "till-2")
    register_till(street.acquirer, other, token="o" * 64)
    submit(street, shown)

    with pytest.raises(IdReused):
        submit_enrolment(street.acquirer, other, shown, now_ms=NOW_MS)


@pytest.mark.parametrize("failure", [Line.REFUSED, Line.LOST, Line.CUT])
@pytest.mark.parametrize("call", ["begin_enrolment", "complete_enrolment"])
def test_an_issuer_that_does_not_answer_is_asked_again_by_the_till(
    street: Street, shown: ShownForEnrolment, call: str, failure: Line
) -> None:
    street.issuer.line = {call: failure}
    with pytest.raises(PartyUnavailable):
        submit(street, shown)

    street.issuer.line = {}

    assert submit(street, shown) == Enrolled()


@pytest.mark.parametrize("dead", ["a", "b", "c"])
def test_a_dead_matcher_is_asked_again_by_the_till(street: Street, shown: ShownForEnrolment, dead: str) -> None:
    street.matchers.down = {dead}
    with pytest.raises(PartyUnavailable):
        submit(street, shown)

    street.matchers.down = set()

    assert submit(street, shown) == Enrolled()


def test_an_order_that_the_issuer_cannot_open_is_refused(street: Street, shown: ShownForEnrolment) -> None:
    with pytest.raises(EnvelopeInvalid):
        submit(street, replace(shown, order=b"no envelope"))


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_a_crash_at_any_commit_can_be_repeated(
    street: Street, shown: ShownForEnrolment, at: int, is_committed: bool
) -> None:
    assert crash_at_commit(street, submitting(shown), at=at, is_committed=is_committed)
    street.now_ms += street.acquirer.bounds.enrolment_ms_max

    assert submit(street, shown) == Enrolled()


@pytest.mark.parametrize("call", ["begin_enrolment", "complete_enrolment"])
@pytest.mark.parametrize("side", ["crash_before", "crash_after"])
def test_a_crash_at_the_issuer_can_be_repeated(street: Street, shown: ShownForEnrolment, side: str, call: str) -> None:
    setattr(street.issuer, side, call)
    crash_at_call(street, submitting(shown))
    street.now_ms += street.acquirer.bounds.enrolment_ms_max - 1
    with pytest.raises(PartyUnavailable):
        submit(street, shown)

    street.now_ms += 1

    assert submit(street, shown) == Enrolled()


@pytest.mark.sqlite
def test_nothing_of_a_palm_is_stored(street: Street, shown: ShownForEnrolment) -> None:
    submit(street, shown)
    street.database.close()

    stored = b"".join(path.read_bytes() for path in (street.directory / "acquirer").iterdir())

    assert shown.enrolment_id.encode() in stored and shown.templates is not None
    sealed = [shown.order, shown.templates.a, shown.templates.b, shown.templates.c]
    for secret in [*sealed, shown.order_id.encode(), street.wallets["bob"].encode(), *street.matchers.own.values()]:
        assert secret[:16] not in stored


def submitting(shown: ShownForEnrolment) -> Callable[[Acquirer], object]:
    return lambda acquirer: submit_enrolment(acquirer, TILL, shown, now_ms=NOW_MS)


class FullMatchers(PlainMatchers):
    """
    Have no room for one more palm.
    """

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        """
        Refuse, as all three do.
        """
        raise GalleryFull("the gallery is full")


def test_full_galleries_are_a_decline_that_stays(street: Street, shown: ShownForEnrolment) -> None:
    full = FullMatchers(street.matcher_keys, street.matchers.issuer)
    street.acquirer = replace(street.acquirer, matchers=full)

    assert submit(street, shown) == Declined(DeclineReason.GALLERY_FULL)
    street.acquirer = replace(street.acquirer, matchers=street.matchers)
    assert submit(street, shown) == Declined(DeclineReason.GALLERY_FULL)


def test_an_issuer_without_room_declines_before_any_matcher_is_asked(street: Street, shown: ShownForEnrolment) -> None:
    street.issuer.issuer = replace(street.issuer.issuer, palms_max=1)  # Ann's palm.
    street.matchers.down = {"a", "b", "c"}

    assert submit(street, shown) == Declined(DeclineReason.GALLERY_FULL)
