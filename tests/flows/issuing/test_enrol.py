"""
Promise that a palm is joined to the wallet whose code was typed, once, and only if no palm matched.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.envelope import seal
from handsel.errors import EnvelopeInvalid, IdReused, NotFound
from handsel.flows.issuing.abort_enrolment import expire_enrolments
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.consent import withdraw_consent
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.enrol import (
    ENROLMENT_VALID_MS,
    Enrolled,
    EnrolmentBegun,
    begin_enrolment,
    complete_enrolment,
)
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.matching.message import Order, PerMatcher
from handsel.order import CHARGE, bind
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once, crash


def orders(scene: Scene) -> list[Order]:
    """
    Return what matcher a is ordered, in order, once everything is delivered.
    """
    deliver_orders(scene.issuer, scene.matchers)
    return [order for matcher, order in scene.matchers.carried_out if matcher == "a"]


def test_an_enrolled_palm_pays_and_the_matchers_are_ordered_to_keep_it(scene: Scene) -> None:
    wallet = scene.wallet(10_00)
    enrolment_id, order = scene.begin(wallet, "ada")

    assert complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(order))) == Enrolled()

    assert orders(scene) == [Order("commit", enrolment_id, 1)]
    assert isinstance(scene.charge(scene.show("ada", 4_50)), Approved)


def test_positions_follow_one_another_and_are_never_given_again(scene: Scene) -> None:
    ada = scene.payer("ada")
    withdraw_consent(scene.issuer, ada)
    scene.payer("bob")
    scene.payer("cem")

    commits = [order.position for order in orders(scene) if order.kind == "commit"]
    assert commits == [1, 2, 3]


def test_a_palm_that_is_enrolled_is_not_enrolled_again(scene: Scene) -> None:
    wallet = scene.payer("ada")
    other = scene.wallet(10_00)
    enrolment_id, order = scene.begin(other, "ada-again")

    outcome = complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers("ada", bind(order)))

    assert outcome == Declined(DeclineReason.ALREADY_ENROLLED)
    assert orders(scene)[-1] == Order("abort", enrolment_id, 0)
    assert show_wallet(scene.issuer, other).palms == ()
    scene.buy("ada", 1_00)
    assert scene.balance(wallet) == 99_00


def test_two_matching_rows_are_a_match_too(scene: Scene) -> None:
    scene.payer("ada")
    scene.payer("bob")
    enrolment_id, order = scene.begin(scene.wallet(), "cem")

    outcome = complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers("ada+bob", bind(order)))

    assert outcome == Declined(DeclineReason.ALREADY_ENROLLED)


def test_answers_that_are_bound_to_something_else_enrol_nothing(scene: Scene) -> None:
    enrolment_id, _ = scene.begin(scene.wallet(), "ada")
    other, _ = scene.enrolment_order("00000000", new_id())

    outcome = complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(other)))

    assert outcome == Declined(DeclineReason.BOUND_TO_OTHER)
    assert orders(scene) == [Order("abort", enrolment_id, 0)]


def test_answers_that_do_not_open_change_nothing(scene: Scene) -> None:
    enrolment_id, order = scene.begin(scene.wallet(), "ada")

    with pytest.raises(EnvelopeInvalid):
        complete_enrolment(scene.issuer, enrolment_id, answers=PerMatcher(b"a", b"b", b"c"))

    assert complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(order))) == Enrolled()


def test_the_same_beginning_has_the_same_shares(scene: Scene) -> None:
    enrolment_id = new_id()
    _, sealed = scene.enrolment_order(scene.code(scene.wallet()), enrolment_id)

    first = begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)
    again = begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)

    assert isinstance(first, EnrolmentBegun)
    assert isinstance(again, EnrolmentBegun)
    assert first.alias_shares == again.alias_shares


def test_the_same_completion_has_the_same_outcome_whatever_the_answers_are(scene: Scene) -> None:
    wallet = scene.wallet(10_00)
    enrolment_id, order = scene.begin(wallet, "ada")
    complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(order)))

    garbled = PerMatcher(b"a", b"b", b"c")

    assert complete_enrolment(scene.issuer, enrolment_id, answers=garbled) == Enrolled()
    assert orders(scene) == [Order("commit", enrolment_id, 1)]
    _, sealed = scene.enrolment_order("00000000", enrolment_id)
    with pytest.raises(IdReused):
        begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)


def test_a_completed_enrolment_says_so_when_it_is_begun_again(scene: Scene) -> None:
    enrolment_id = new_id()
    order, sealed = scene.enrolment_order(scene.code(scene.wallet()), enrolment_id)
    begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)
    complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(order)))

    assert begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed) == Enrolled()


def test_two_completions_at_once_give_one_position(scene: Scene) -> None:
    enrolment_id, order = scene.begin(scene.wallet(), "ada")
    answers = scene.answers(None, bind(order))

    outcomes = at_once(
        lambda: complete_enrolment(scene.issuer, enrolment_id, answers=answers),
        lambda: complete_enrolment(scene.issuer, enrolment_id, answers=answers),
    )

    assert outcomes == [Enrolled(), Enrolled()]
    assert orders(scene) == [Order("commit", enrolment_id, 1)]


def test_an_enrolment_that_was_never_begun_is_not_completed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        complete_enrolment(scene.issuer, new_id(), answers=PerMatcher(b"a", b"b", b"c"))


def test_an_order_for_another_enrolment_or_use_is_refused(scene: Scene) -> None:
    code = scene.code(scene.wallet())
    enrolment_id = new_id()
    order, for_other = scene.enrolment_order(code, new_id())
    for_charge = seal(order, to=scene.issuer.keys.public(), purpose=CHARGE)

    for sealed in (for_other, for_charge, b""):
        with pytest.raises(EnvelopeInvalid):
            begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)


def test_an_enrolment_is_completed_until_its_time_is_over(scene: Scene) -> None:
    early, early_order = scene.begin(scene.wallet(), "ada")
    late, late_order = scene.begin(scene.wallet(), "bob")

    scene.now_ms += ENROLMENT_VALID_MS - 1
    assert expire_enrolments(scene.issuer) == 0
    assert complete_enrolment(scene.issuer, early, answers=scene.answers(None, bind(early_order))) == Enrolled()
    scene.now_ms += 1
    assert complete_enrolment(scene.issuer, late, answers=scene.answers(None, bind(late_order))) == Declined(
        DeclineReason.VOIDED
    )
    assert orders(scene) == [Order("commit", early, 1), Order("abort", late, 0)]


def test_an_enrolment_that_nobody_came_back_for_is_aborted(scene: Scene) -> None:
    wallet = scene.wallet()
    enrolment_id, _ = scene.begin(wallet, "ada")
    scene.now_ms += ENROLMENT_VALID_MS

    assert expire_enrolments(scene.issuer) == 1
    assert expire_enrolments(scene.issuer) == 0

    assert orders(scene) == [Order("abort", enrolment_id, 0)]
    assert show_wallet(scene.issuer, wallet).palms == ()


def test_consent_that_is_withdrawn_in_the_middle_aborts_the_enrolment(scene: Scene) -> None:
    wallet = scene.wallet()
    enrolment_id, order = scene.begin(wallet, "ada")
    withdraw_consent(scene.issuer, wallet)

    outcome = complete_enrolment(scene.issuer, enrolment_id, answers=scene.answers(None, bind(order)))

    assert outcome == Declined(DeclineReason.VOIDED)
    assert orders(scene) == [Order("abort", enrolment_id, 0)]


@pytest.mark.parametrize("is_committed", [False, True])
def test_after_a_crash_the_same_steps_enrol_once(scene: Scene, is_committed: bool) -> None:
    wallet, enrolment_id = scene.wallet(10_00), new_id()
    order, sealed = scene.enrolment_order(scene.code(wallet), enrolment_id)
    crash(
        scene,
        lambda issuer: begin_enrolment(issuer, enrolment_id, acquirer=ACQUIRER, order=sealed),
        at=0,
        is_committed=is_committed,
    )
    begun = begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)
    assert isinstance(begun, EnrolmentBegun)
    scene.aliases["ada"] = scene.alias_in(begun.alias_shares)
    answers = scene.answers(None, bind(order))
    crash(
        scene,
        lambda issuer: complete_enrolment(issuer, enrolment_id, answers=answers),
        at=0,
        is_committed=is_committed,
    )

    assert complete_enrolment(scene.issuer, enrolment_id, answers=answers) == Enrolled()
    assert orders(scene) == [Order("commit", enrolment_id, 1)]
    scene.buy("ada", 1_00)
    assert scene.balance(wallet) == 9_00


def test_no_more_palms_are_begun_than_the_galleries_take(scene: Scene) -> None:
    """
    One is enrolled and one is being enrolled: where there is room for two a third is declined, for three it is not.
    """
    scene.payer("ada")
    scene.begin(scene.wallet(), "bob")
    codes = [scene.code(scene.wallet()) for _ in range(2)]
    outcomes = []
    for code, palms_max in zip(codes, (2, 3), strict=True):
        enrolment_id = new_id()
        _, sealed = scene.enrolment_order(code, enrolment_id)
        outcomes.append(
            begin_enrolment(replace(scene.issuer, palms_max=palms_max), enrolment_id, acquirer=ACQUIRER, order=sealed)
        )

    assert outcomes[0] == Declined(DeclineReason.GALLERY_FULL)
    assert isinstance(outcomes[1], EnrolmentBegun)


def test_an_erased_palm_makes_room_for_another(scene: Scene) -> None:
    ada = scene.payer("ada")
    scene.issuer = replace(scene.issuer, palms_max=1)
    code = scene.code(scene.wallet())
    withdraw_consent(scene.issuer, ada)
    enrolment_id = new_id()
    _, sealed = scene.enrolment_order(code, enrolment_id)

    assert isinstance(begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed), EnrolmentBegun)
