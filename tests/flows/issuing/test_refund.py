"""
Promise that notes given back reach the wallet of the palm that was shown, all of them or none.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.envelope import seal
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused
from handsel.flows.issuing.approved import Credited
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.redeem import redeem
from handsel.flows.issuing.refund import refund
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.notes.note import Note
from handsel.order import REFUND, bind
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once, crash


@pytest.fixture
def notes(scene: Scene) -> tuple[Note, ...]:
    """
    Notes worth 4.50 that Bob has paid, who is left with 5.50.
    """
    scene.payer("bob", 10_00)
    return scene.buy("bob", 4_50)


def test_whoever_shows_the_palm_is_credited(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)

    assert scene.refund("ada", scene.refund_order(4_50), notes) == Credited()

    assert (scene.balance(wallet), scene.circulating()) == (5_50, 0)


def test_the_same_request_credits_once(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    order = scene.refund_order(4_50)

    assert scene.refund("ada", order, notes) == scene.refund("ada", order, notes) == Credited()

    assert scene.balance(wallet) == 5_50


def test_the_same_id_with_another_order_or_other_notes_is_an_error(scene: Scene, notes: tuple[Note, ...]) -> None:
    scene.payer("ada", 1_00)
    order = scene.refund_order(4_50)
    scene.refund("ada", order, notes)

    with pytest.raises(IdReused):
        scene.refund("ada", order, notes[:1])
    with pytest.raises(IdReused):
        scene.refund("ada", msgspec.structs.replace(order, amount_minor=1), notes)


@pytest.mark.parametrize(
    ("palm", "reason"), [(None, DeclineReason.NOT_RECOGNISED), ("ada+bob", DeclineReason.AMBIGUOUS)]
)
def test_a_palm_that_is_not_recognised_gets_nothing_and_the_notes_stay_good(
    scene: Scene, notes: tuple[Note, ...], palm: str | None, reason: DeclineReason
) -> None:
    scene.payer("ada", 1_00)
    order = scene.refund_order(4_50)

    assert scene.refund(palm, order, notes) == scene.refund(palm, order, notes) == Declined(reason)
    assert scene.refund("ada", scene.refund_order(4_50), notes) == Credited()


def test_a_paused_palm_is_credited_all_the_same(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    pause_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)

    assert scene.refund("ada", scene.refund_order(4_50), notes) == Credited()
    assert scene.balance(wallet) == 5_50


def test_an_erased_palm_is_not_recognised(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    erase_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)

    assert scene.refund("ada", scene.refund_order(4_50), notes) == Declined(DeclineReason.NOT_RECOGNISED)
    assert scene.balance(wallet) == 1_00


def test_a_closed_wallet_is_not_credited(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    with scene.issuer.database.unit_of_work() as uow:
        uow.execute("UPDATE wallets SET closed_at_ms = 1 WHERE id = ?", wallet)
        uow.commit()

    assert scene.refund("ada", scene.refund_order(4_50), notes) == Declined(DeclineReason.WALLET_CLOSED)
    assert close_wallet(scene.issuer, wallet).paid_back.amount_minor == 0


def test_a_hand_that_was_shown_for_something_else_is_not_credited(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    other = bind(scene.refund_order(4_50))

    outcome = scene.refund("ada", scene.refund_order(4_50), notes, binding=other)

    assert outcome == Declined(DeclineReason.BOUND_TO_OTHER)
    assert scene.balance(wallet) == 1_00


@pytest.mark.parametrize("minor", [4_49, 4_51])
def test_notes_of_another_sum_are_not_credited(scene: Scene, notes: tuple[Note, ...], minor: int) -> None:
    wallet = scene.payer("ada", 1_00)

    outcome = scene.refund("ada", scene.refund_order(minor), notes)

    assert outcome == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    assert scene.balance(wallet) == 1_00


def test_one_forged_note_spoils_the_refund_and_no_other_note(scene: Scene, notes: tuple[Note, ...]) -> None:
    scene.payer("ada", 1_00)
    forged = (Note(notes[0].key_id, b"f" * 32, notes[0].signature), *notes[1:])

    assert scene.refund("ada", scene.refund_order(4_50), forged) == Declined(DeclineReason.NOTE_INVALID)
    assert scene.refund("ada", scene.refund_order(4_50), notes) == Credited()


def test_notes_that_were_redeemed_are_not_credited(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)
    redeem(scene.issuer, new_id(), notes=notes[:1], acquirer=ACQUIRER)

    outcome = scene.refund("ada", scene.refund_order(4_50), notes)

    assert outcome == Declined(DeclineReason.NOTE_ALREADY_REDEEMED)
    assert scene.balance(wallet) == 1_00
    assert len(redeem(scene.issuer, new_id(), notes=notes[1:], acquirer=ACQUIRER).redeemed) == 3


def test_one_note_twice_is_not_two_notes(scene: Scene, notes: tuple[Note, ...]) -> None:
    scene.payer("ada", 1_00)

    outcome = scene.refund("ada", scene.refund_order(5_12), (notes[0], notes[0]))

    assert outcome == Declined(DeclineReason.NOTE_ALREADY_REDEEMED)


def test_a_refund_in_another_currency_is_not_credited(scene: Scene, notes: tuple[Note, ...]) -> None:
    scene.payer("ada", 1_00)
    order = msgspec.structs.replace(scene.refund_order(4_50), currency="CHF")

    assert scene.refund("ada", order, notes) == Declined(DeclineReason.CURRENCY_DIFFERS)


def test_an_ill_formed_refund_changes_nothing(scene: Scene, notes: tuple[Note, ...]) -> None:
    scene.payer("ada", 1_00)
    order = scene.refund_order(4_50)

    for presented in ((), notes * 17):
        with pytest.raises(BodyInvalid):
            scene.refund("ada", order, presented)
    with pytest.raises(BodyInvalid):
        scene.refund("ada", scene.refund_order(0), notes)
    sealed = seal(scene.refund_order(4_50), to=scene.issuer.keys.public(), purpose=REFUND)
    with pytest.raises(EnvelopeInvalid):
        refund(
            scene.issuer,
            order.order_id,
            acquirer=ACQUIRER,
            order=sealed,
            answers=scene.answers("ada", bind(order)),
            notes=notes,
        )
    assert scene.refund("ada", order, notes) == Credited()


def test_the_same_notes_in_two_refunds_at_once_are_credited_once(scene: Scene, notes: tuple[Note, ...]) -> None:
    wallet = scene.payer("ada", 1_00)

    outcomes = at_once(
        lambda: scene.refund("ada", scene.refund_order(4_50), notes),
        lambda: scene.refund("ada", scene.refund_order(4_50), notes),
    )

    assert Credited() in outcomes
    assert Declined(DeclineReason.NOTE_ALREADY_REDEEMED) in outcomes
    assert scene.balance(wallet) == 5_50


@pytest.mark.parametrize("is_committed", [False, True])
def test_after_a_crash_the_same_request_credits_once(scene: Scene, notes: tuple[Note, ...], is_committed: bool) -> None:
    wallet = scene.payer("ada", 1_00)
    order = scene.refund_order(4_50)
    sealed = seal(order, to=scene.issuer.keys.public(), purpose=REFUND)
    answers = scene.answers("ada", bind(order))
    crash(
        scene,
        lambda issuer: refund(issuer, order.order_id, acquirer=ACQUIRER, order=sealed, answers=answers, notes=notes),
        at=0,
        is_committed=is_committed,
    )

    assert (
        refund(scene.issuer, order.order_id, acquirer=ACQUIRER, order=sealed, answers=answers, notes=notes)
        == Credited()
    )
    assert scene.balance(wallet) == 5_50
