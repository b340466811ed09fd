"""
Promise that what was reserved is captured once, by who carried it, in full or in part; or given back, and never both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import msgspec
import pytest

from handsel.envelope import seal
from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.issuing.approved import Approved, Reserved, Voided
from handsel.flows.issuing.capture_charge import CaptureRequest, capture_charge
from handsel.flows.issuing.charge import HOLD_MS, charge
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.give_back import give_back
from handsel.flows.issuing.show_wallet import HoldLine, show_wallet, wallet_history
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.ids import new_id
from handsel.notes.mint import finalize_all
from handsel.notes.note import SERIAL_BYTES
from handsel.order import CHARGE, HOLDS_S, ChargeOrder, NoteRequest, bind, digest_of_notes
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.money import Money
from tests.flows.issuing.kept import octets, rows_of
from tests.flows.issuing.scene import ACQUIRER, Scene, Shown, at_once, crash, send

DAY_S = 86_400
OTHER = "somebody-else"


def reserved(scene: Scene, minor: int = 8_00, *, hold_s: int = DAY_S) -> Shown:
    """
    Let `ada` reserve.
    """
    shown = scene.show_to_reserve("ada", minor, hold_s=hold_s)
    assert scene.charge(shown) == Reserved(minor, scene.now_ms + min(hold_s, DAY_S) * 1000)
    return shown


def available(scene: Scene, wallet: str) -> int:
    return show_wallet(scene.issuer, wallet).available_minor


def test_a_reservation_debits_nothing_and_the_wallet_says_until_when(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)

    reserved(scene)

    view = show_wallet(scene.issuer, wallet)
    assert (view.balance_minor, view.available_minor) == (10_00, 2_00)
    assert view.holds == (HoldLine(8_00, "EUR", scene.now_ms, scene.now_ms + DAY_S * 1000),)
    assert scene.circulating() == 0
    assert scene.charge(scene.show("ada", 2_01)) == Declined(DeclineReason.INSUFFICIENT_FUNDS)


@pytest.mark.parametrize("minor", [1, 5_50, 8_00])
def test_a_part_is_captured_and_the_rest_is_free_again(scene: Scene, minor: int) -> None:
    wallet = scene.payer("ada", 10_00)
    wanted, kept = scene.to_capture(reserved(scene), minor)

    outcome = capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)

    assert isinstance(outcome, Approved)
    finalize_all(kept, outcome.signatures, keys=scene.issuer.note_keys.public())
    assert (scene.balance(wallet), available(scene, wallet)) == (10_00 - minor, 10_00 - minor)
    assert scene.circulating() == minor
    assert show_wallet(scene.issuer, wallet).holds == ()
    assert [line.amount_minor for line in wallet_history(scene.issuer, wallet) if line.kind == "payment"] == [-minor]


def test_what_is_captured_counts_towards_the_limit_and_what_is_free_again_does_not(scene: Scene) -> None:
    scene.payer("ada", 500_00)
    for _ in range(3):
        wanted, _kept = scene.to_capture(reserved(scene, 50_00), 1_00)
        capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)

    for _ in range(2):
        assert isinstance(scene.charge(scene.show("ada", 50_00)), Approved)
    assert scene.charge(scene.show("ada", 50_00)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)
    assert isinstance(scene.charge(scene.show("ada", 47_00)), Approved)


def test_one_cent_more_than_is_reserved_is_refused_and_changes_nothing(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = reserved(scene)
    too_much, _kept = scene.to_capture(shown, 8_01)

    with pytest.raises(BodyInvalid, match=r"at most what is reserved: 8\.00 EUR"):
        capture_charge(scene.issuer, too_much, acquirer=ACQUIRER)

    assert (scene.circulating(), available(scene, wallet)) == (0, 2_00)
    assert isinstance(capture_charge(scene.issuer, scene.to_capture(shown, 8_00)[0], acquirer=ACQUIRER), Approved)


def test_the_same_capture_has_the_same_signatures_and_another_is_refused(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = reserved(scene)
    wanted, _kept = scene.to_capture(shown, 5_00)
    first = capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)
    scene.now_ms += 400 * DAY_S * 1000

    assert capture_charge(scene.issuer, wanted, acquirer=ACQUIRER) == first
    scene.now_ms -= 400 * DAY_S * 1000
    for other in (scene.to_capture(shown, 5_00)[0], scene.to_capture(shown, 3_00)[0]):
        with pytest.raises(IdReused):
            capture_charge(scene.issuer, other, acquirer=ACQUIRER)
    assert (scene.balance(wallet), scene.circulating()) == (5_00, 5_00)


def test_another_acquirer_can_neither_capture_nor_give_back(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = reserved(scene)
    wanted, _kept = scene.to_capture(shown, 5_00)

    with pytest.raises(NotFound):
        capture_charge(scene.issuer, wanted, acquirer=OTHER)
    with pytest.raises(NotFound):
        give_back(scene.issuer, shown.charge_id, acquirer=OTHER)

    assert available(scene, wallet) == 2_00


def test_a_charge_that_pays_at_once_is_no_reservation(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    paid = scene.show("ada", 4_00)
    scene.charge(paid)
    wanted, _kept = scene.to_capture(paid, 4_00)

    with pytest.raises(NotFound):
        capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)
    with pytest.raises(NotFound):
        give_back(scene.issuer, paid.charge_id, acquirer=ACQUIRER)
    with pytest.raises(NotFound):
        give_back(scene.issuer, new_id(), acquirer=ACQUIRER)
    assert scene.balance(wallet) == 6_00


def test_notes_that_do_not_add_up_are_not_signed(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    wanted, _kept = scene.to_capture(reserved(scene), 5_00)

    for altered in (
        replace(wanted, amount=Money(4_99, "EUR")),
        replace(wanted, notes=wanted.notes[1:]),
    ):
        outcome = capture_charge(scene.issuer, altered, acquirer=ACQUIRER)
        assert outcome == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    unknown = replace(wanted, notes=(NoteRequest("00" * 16, bytes(SERIAL_BYTES)),))
    assert capture_charge(scene.issuer, unknown, acquirer=ACQUIRER) == Declined(DeclineReason.NOTE_INVALID)

    assert (scene.circulating(), available(scene, wallet)) == (0, 2_00)
    assert isinstance(capture_charge(scene.issuer, wanted, acquirer=ACQUIRER), Approved)


def test_a_capture_asks_for_some_notes_and_a_sum() -> None:
    with pytest.raises(BodyInvalid):
        CaptureRequest(new_id(), Money(5_00, "EUR"), ())
    with pytest.raises(BodyInvalid):
        CaptureRequest(new_id(), Money(0, "EUR"), (NoteRequest("k", b"m"),))
    with pytest.raises(BodyInvalid):
        CaptureRequest("1", Money(1, "EUR"), (NoteRequest("k", b"m"),))


def test_at_the_last_moment_it_is_captured_and_a_moment_later_it_is_over(scene: Scene) -> None:
    wallet = scene.payer("ada", 20_00)
    in_time, too_late = reserved(scene, 4_00, hold_s=3_600), reserved(scene, 5_00, hold_s=3_600)
    one, other = scene.to_capture(in_time, 4_00)[0], scene.to_capture(too_late, 5_00)[0]

    scene.now_ms += 3_600_000 - 1
    assert isinstance(capture_charge(scene.issuer, one, acquirer=ACQUIRER), Approved)
    scene.now_ms += 1
    assert capture_charge(scene.issuer, other, acquirer=ACQUIRER) == Declined(DeclineReason.RESERVATION_EXPIRED)
    assert expire_charges(scene.issuer) == 1
    assert capture_charge(scene.issuer, other, acquirer=ACQUIRER) == Declined(DeclineReason.VOIDED)

    assert (scene.balance(wallet), available(scene, wallet)) == (16_00, 16_00)
    assert give_back(scene.issuer, too_late.charge_id, acquirer=ACQUIRER) == Voided()


def test_a_reservation_outlives_the_time_of_an_interrupted_charge(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    reserved(scene, hold_s=3_600)

    scene.now_ms += HOLD_MS + 1

    assert (expire_charges(scene.issuer), available(scene, wallet)) == (0, 2_00)


def test_no_reservation_lasts_longer_than_the_issuer_allows(scene: Scene) -> None:
    scene.payer("ada", 50_00)
    longest = HOLDS_S[-1]
    shown = scene.show_to_reserve("ada", 8_00, hold_s=longest)
    scene.issuer = replace(scene.issuer, hold_ms_max=3_600_000)
    assert scene.charge(shown) == Reserved(8_00, scene.now_ms + 3_600_000)

    scene.issuer = replace(scene.issuer, hold_ms_max=longest * 1000)
    other = scene.show_to_reserve("ada", 8_00, hold_s=longest)
    assert scene.charge(other) == Reserved(8_00, scene.now_ms + longest * 1000)


def test_a_reservation_is_for_one_of_a_few_times(scene: Scene) -> None:
    """
    A time that only one shop asks for would tell the issuer which shop it is.
    """
    scene.payer("ada", 10_00)

    for hold_s in (-1, 1, 3_601, HOLDS_S[-1] + 1):
        with pytest.raises(BodyInvalid):
            scene.charge(scene.show_to_reserve("ada", 8_00, hold_s=hold_s))


def test_what_only_reserves_asks_for_no_notes(scene: Scene) -> None:
    scene.payer("ada", 10_00)

    shown = scene.show("ada", 8_00, alter=lambda order: msgspec.structs.replace(order, hold_s=DAY_S))

    with pytest.raises(BodyInvalid):
        scene.charge(shown)


def test_what_was_bound_as_a_reservation_pays_nothing_and_the_other_way_round(scene: Scene) -> None:
    """
    The order that is opened is of the other kind than the one that the palm was shown for.
    """
    wallet = scene.payer("ada", 10_00)
    notes = scene.to_capture(scene.show_to_reserve("ada", 8_00), 8_00)[0].notes
    for hold_s, bound_s in ((DAY_S, 0), (DAY_S, 3_600), (0, DAY_S)):
        order = ChargeOrder(new_id(), 8_00, "EUR", b"d" * 32, () if hold_s else notes, hold_s=hold_s)
        as_bound = msgspec.structs.replace(order, hold_s=bound_s)
        sealed = seal(order, to=scene.issuer.keys.public(), purpose=CHARGE)
        answers = scene.answers("ada", bind(as_bound))

        outcome = charge(
            scene.issuer,
            order.order_id,
            acquirer=ACQUIRER,
            order=sealed,
            answers=answers,
            notes_digest=digest_of_notes(order.notes),
        )

        assert outcome == Declined(DeclineReason.BOUND_TO_OTHER)
    assert (scene.balance(wallet), available(scene, wallet)) == (10_00, 10_00)


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_while_reserving_is_repeated_with_the_same_outcome(scene: Scene, is_committed: bool) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show_to_reserve("ada", 8_00)
    crash(scene, lambda issuer: send(issuer, shown), at=0, is_committed=is_committed)

    expected = Reserved(8_00, scene.now_ms + DAY_S * 1000)
    assert scene.charge(shown) == scene.charge(shown) == expected
    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == expected
    assert available(scene, wallet) == 2_00


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_while_capturing_is_repeated_and_debits_once(scene: Scene, is_committed: bool) -> None:
    wallet = scene.payer("ada", 10_00)
    wanted, kept = scene.to_capture(reserved(scene), 5_00)
    crash(
        scene,
        lambda issuer: capture_charge(issuer, wanted, acquirer=ACQUIRER),
        at=0,
        is_committed=is_committed,
    )

    outcome = capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)

    assert isinstance(outcome, Approved)
    finalize_all(kept, outcome.signatures, keys=scene.issuer.note_keys.public())
    assert (scene.balance(wallet), available(scene, wallet), scene.circulating()) == (5_00, 5_00, 5_00)


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_while_giving_back_is_repeated(scene: Scene, is_committed: bool) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = reserved(scene)
    crash(
        scene,
        lambda issuer: give_back(issuer, shown.charge_id, acquirer=ACQUIRER),
        at=0,
        is_committed=is_committed,
    )

    assert give_back(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()
    assert give_back(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    assert available(scene, wallet) == 10_00
    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()


def test_capture_and_giving_back_in_the_same_moment_agree(scene: Scene) -> None:
    wallet = scene.payer("ada", 50_00)
    for _ in range(5):
        shown, before = reserved(scene, 2_00), scene.balance(wallet)
        wanted, _kept = scene.to_capture(shown, 1_00)

        act: Callable[[], Approved | Declined | Voided] = partial(
            capture_charge, scene.issuer, wanted, acquirer=ACQUIRER
        )
        captured, given = at_once(act, partial(give_back, scene.issuer, shown.charge_id, acquirer=ACQUIRER))

        if isinstance(captured, Approved):
            assert (given, scene.balance(wallet)) == (captured, before - 1_00)
        else:
            assert (captured, given) == (Declined(DeclineReason.VOIDED), Voided())
            assert scene.balance(wallet) == before
        assert available(scene, wallet) == scene.balance(wallet)


def test_capture_and_expiry_in_the_same_moment_agree(scene: Scene) -> None:
    """
    The capture reads the clock before the end, and the sweep reads it at the end.
    """
    wallet = scene.payer("ada", 50_00)
    for _ in range(5):
        shown, before = reserved(scene, 2_00, hold_s=3_600), scene.balance(wallet)
        end_ms = scene.now_ms + 3_600_000
        wanted, _kept = scene.to_capture(shown, 1_00)
        early = replace(scene.issuer, clock=partial(int, end_ms - 1))
        late = replace(scene.issuer, clock=partial(int, end_ms))

        act: Callable[[], Approved | Declined | int] = partial(capture_charge, early, wanted, acquirer=ACQUIRER)
        captured, swept = at_once(act, partial(expire_charges, late))

        if isinstance(captured, Approved):
            assert (swept, scene.balance(wallet)) == (0, before - 1_00)
        else:
            assert (captured, swept) == (Declined(DeclineReason.VOIDED), 1)
            assert scene.balance(wallet) == before
        assert available(scene, wallet) == scene.balance(wallet)


def test_two_captures_in_the_same_moment_debit_once(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    wanted, _kept = scene.to_capture(reserved(scene), 5_00)
    act = partial(capture_charge, scene.issuer, wanted, acquirer=ACQUIRER)

    first, second = at_once(act, act)

    assert isinstance(first, Approved)
    assert (first, scene.balance(wallet), scene.circulating()) == (second, 5_00, 5_00)


def test_a_wallet_is_not_closed_over_what_a_shop_waits_for(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = reserved(scene)

    with pytest.raises(BodyInvalid, match="close the wallet when"):
        close_wallet(scene.issuer, wallet)
    assert available(scene, wallet) == 2_00

    give_back(scene.issuer, shown.charge_id, acquirer=ACQUIRER)
    assert close_wallet(scene.issuer, wallet).paid_back == Money(10_00, "EUR")


def test_the_issuer_cannot_tell_which_note_it_signed_for_a_capture(scene: Scene) -> None:
    """
    No serial of a captured note is anywhere in what the issuer keeps.
    """
    scene.payer("ada", 10_00)
    wanted, kept = scene.to_capture(reserved(scene), 5_00)
    outcome = capture_charge(scene.issuer, wanted, acquirer=ACQUIRER)
    assert isinstance(outcome, Approved)
    notes = finalize_all(kept, outcome.signatures, keys=scene.issuer.note_keys.public())

    held = octets(rows_of(scene))

    assert wanted.charge_id.encode() in held
    assert [note for note in notes if note.serial in held or note.signature in held] == []
