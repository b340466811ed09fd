"""
An acquirer that asks too often, or far too often in vain, waits; another one does not, and no till is known here.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from handsel.flows.issuing.approved import Approved, Credited, Reserved
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.enrol import EnrolmentBegun, begin_enrolment
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.issuer import limits_of_acquirer
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.limits import AcquirerLimits
from handsel.order import ChargeOrder
from handsel.pay.asking import Asking
from handsel.pay.decline import Declined, DeclineReason
from handsel.store.asking import find_asking
from tests.flows.issuing.scene import ACQUIRER, Scene, Shown, send

TOO_OFTEN = Declined(DeclineReason.ASKED_TOO_OFTEN)
NOBODY = Declined(DeclineReason.NOT_RECOGNISED)
OF = 10


def limit(scene: Scene, **changes: float) -> None:
    settings = AcquirerLimits(wrong_share_of=OF)
    limits = limits_of_acquirer(msgspec.structs.replace(settings, **changes))
    scene.issuer = replace(scene.issuer, asking=limits)


def as_other(scene: Scene, shown: Shown) -> Approved | Declined | Reserved:
    return send(scene.issuer, shown, acquirer="other")


def asking_of(scene: Scene, acquirer: str = ACQUIRER) -> Asking:
    with scene.issuer.database.unit_of_work() as uow:
        return find_asking(uow, acquirer)


def test_a_minute_has_room_for_so_many_answers(scene: Scene) -> None:
    scene.payer("ada")
    scene.now_ms += 60_000
    limit(scene, answers_per_minute_max=2)
    for _ in range(2):
        assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)
    refused = scene.show("ada", 1_00)

    assert scene.charge(refused) == TOO_OFTEN
    assert isinstance(as_other(scene, scene.show("ada", 1_00)), Approved)

    scene.now_ms += 60_000
    assert scene.charge(refused) == TOO_OFTEN
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)


def test_a_refused_answer_is_not_even_opened(scene: Scene) -> None:
    limit(scene, answers_per_minute_max=1)
    scene.charge(scene.show(None, 1_00))
    shown = scene.show(None, 1_00)
    garbled = msgspec.structs.replace(shown.answers, a=b"no envelope")

    outcome = send(scene.issuer, replace(shown, answers=garbled))

    assert outcome == TOO_OFTEN


def test_more_than_half_of_the_last_answers_in_vain_lock_for_a_while(scene: Scene) -> None:
    scene.payer("ada")
    limit(scene)
    for _ in range(OF // 2):
        assert scene.charge(scene.show(None, 1_00)) == NOBODY
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)

    assert scene.charge(scene.show(None, 1_00)) == NOBODY

    assert scene.charge(scene.show("ada", 1_00)) == TOO_OFTEN
    scene.now_ms += 10_000
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)


def test_what_is_refused_changes_nothing(scene: Scene) -> None:
    scene.payer("ada")
    notes = scene.buy("ada", 1_00)
    limit(scene)
    for _ in range(OF // 2 + 1):
        scene.charge(scene.show(None, 1_00))
    locked, enrolment_id = asking_of(scene), new_id()
    _, sealed = scene.enrolment_order("00000000", enrolment_id)

    assert scene.charge(scene.show("ada", 1_00)) == TOO_OFTEN
    assert scene.refund("ada", scene.refund_order(1_00), notes) == TOO_OFTEN
    assert begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed) == TOO_OFTEN

    assert asking_of(scene) == locked


def test_a_restart_keeps_the_lock(scene: Scene) -> None:
    limit(scene)
    for _ in range(OF // 2 + 1):
        scene.charge(scene.show(None, 1_00))

    scene.restart()

    assert scene.charge(scene.show(None, 1_00)) == TOO_OFTEN


def test_one_bad_till_among_others_does_not_stop_an_acquirer(scene: Scene) -> None:
    """
    One in three palms in vain for as long as anybody likes: far more than is normal, and no lock.
    """
    scene.payer("ada", 100_00)
    limit(scene)

    for _ in range(3 * OF):
        assert scene.charge(scene.show(None, 1)) == NOBODY
        assert isinstance(scene.charge(scene.show("ada", 1)), Approved)
        assert isinstance(scene.charge(scene.show("ada", 1)), Approved)


def test_refunds_count_too(scene: Scene) -> None:
    scene.payer("ada")
    notes = scene.buy("ada", 1_00)
    scene.now_ms += 60_000
    limit(scene, answers_per_minute_max=1)
    assert scene.refund(None, scene.refund_order(1_00), notes) == NOBODY

    assert scene.refund("ada", scene.refund_order(1_00), notes) == TOO_OFTEN
    scene.now_ms += 60_000
    assert scene.refund("ada", scene.refund_order(1_00), notes) == Credited()


def test_an_enrolment_counts_before_its_code_is_used_up(scene: Scene) -> None:
    limit(scene, answers_per_minute_max=1)
    scene.charge(scene.show(None, 1_00))
    code = scene.code(scene.wallet())

    def tried() -> object:
        enrolment_id = new_id()
        _, sealed = scene.enrolment_order(code, enrolment_id)
        return begin_enrolment(scene.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)

    assert tried() == TOO_OFTEN
    scene.now_ms += 60_000
    assert isinstance(tried(), EnrolmentBegun)
    assert tried() == TOO_OFTEN


def test_enrolments_find_nobody_and_are_not_wrong(scene: Scene) -> None:
    limit(scene)
    for number in range(2 * OF):
        scene.payer(f"palm {number}")

    assert asking_of(scene).recent == ""


def test_who_is_found_and_cannot_pay_is_not_in_vain(scene: Scene) -> None:
    wallet = scene.payer("ada", 1_00)
    assert scene.charge(scene.show("ada", 1_01)) == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    pause_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)
    assert scene.charge(scene.show("ada", 1_00)) == Declined(DeclineReason.PALM_PAUSED)

    assert asking_of(scene).recent == "oo"


def test_the_issuer_keeps_one_row_for_an_acquirer_and_no_till(scene: Scene) -> None:
    scene.payer("ada")
    for _ in range(3):
        scene.charge(scene.show(None, 1_00))
    as_other(scene, scene.show("ada", 1_00))

    with scene.issuer.database.unit_of_work() as uow:
        assert [who for (who,) in uow.rows("SELECT who FROM asking ORDER BY who")] == [ACQUIRER, "other"]


def corrupted(order: ChargeOrder) -> ChargeOrder:
    return msgspec.structs.replace(order, amount_minor=order.amount_minor + 1)


@pytest.mark.parametrize("palm", ["ada", "ada+bob", None])
def test_an_order_that_fails_anyway_says_nothing_of_the_palm(scene: Scene, palm: str | None) -> None:
    """
    Otherwise a till could ask of any palm whether it is enrolled, at no cost and without a trace in a wallet.
    """
    scene.payer("ada")
    scene.payer("bob")
    notes = scene.buy("ada", 1_00)

    assert scene.charge(scene.show(palm, 4_50, alter=corrupted)) == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    assert scene.charge(scene.show(palm, 500_01)) == Declined(DeclineReason.OVER_LIMIT)
    assert scene.refund(palm, scene.refund_order(1_01), notes) == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    assert asking_of(scene).recent.count("x") == 0


@pytest.mark.parametrize("state", ["erased", "closed", "begun"])
def test_nobody_and_a_palm_that_no_wallet_has_now_are_one_answer(scene: Scene, state: str) -> None:
    scene.payer("ada")
    notes = scene.buy("ada", 1_00)
    wallet = scene.wallet() if state == "begun" else scene.payer("gone")
    if state == "begun":
        scene.begin(wallet, "gone")
    elif state == "erased":
        erase_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)
    else:
        close_wallet(scene.issuer, wallet)

    for palm in ("gone", None):
        assert scene.charge(scene.show(palm, 1_00)) == NOBODY
        assert scene.refund(palm, scene.refund_order(1_00), notes) == NOBODY
    assert asking_of(scene).recent == "oxxxx"
