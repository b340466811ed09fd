"""
Promise that a charge debits once, or not at all, whatever comes between: another thread, a crash, a full disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from handsel.errors import StoreFull
from handsel.flows.issuing.approved import Approved, Reserved, Voided
from handsel.flows.issuing.charge import HOLD_MS
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import ACQUIRER, Scene, Shown, at_once, crash, send


def test_a_double_tap_debits_once(scene: Scene) -> None:
    """
    Two threads ask for the same charge in the same moment: both get the same signatures.
    """
    wallet = scene.payer("ada", 10_00)
    for _ in range(5):
        shown = scene.show("ada", 1_00)

        first, second = at_once(partial(scene.charge, shown), partial(scene.charge, shown))

        assert isinstance(first, Approved)
        assert first == second
    assert scene.balance(wallet) == 5_00


def test_two_tills_cannot_spend_the_same_money(scene: Scene) -> None:
    wallet = scene.payer("ada", 4_50)
    one, two = scene.show("ada", 4_50), scene.show("ada", 4_50)

    outcomes = at_once(lambda: scene.charge(one), lambda: scene.charge(two))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Approved", "Declined"]
    assert Declined(DeclineReason.INSUFFICIENT_FUNDS) in outcomes
    assert (scene.balance(wallet), scene.circulating()) == (0, 4_50)


def test_charge_and_void_in_the_same_moment_agree(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    for _ in range(10):
        shown = scene.show("ada", 1_00)
        before = scene.balance(wallet)

        act: Callable[[], Approved | Declined | Reserved | Voided] = partial(scene.charge, shown)
        charged, voided = at_once(act, partial(void_charge, scene.issuer, shown.charge_id, acquirer=ACQUIRER))

        if isinstance(charged, Approved):
            assert (voided, scene.balance(wallet)) == (charged, before - 1_00)
        else:
            assert (charged, voided) == (Declined(DeclineReason.VOIDED), Voided())
            assert scene.balance(wallet) == before


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_after_a_crash_at_any_commit_the_same_request_ends_well_and_debits_once(
    scene: Scene, at: int, is_committed: bool
) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    crash(scene, lambda issuer: send(issuer, shown), at=at, is_committed=is_committed)

    scene.notes(shown, scene.charge(shown))

    assert (scene.balance(wallet), scene.circulating()) == (5_50, 4_50)
    assert show_wallet(scene.issuer, wallet).available_minor == 5_50


def test_a_reservation_that_nobody_came_back_for_is_given_back(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    _interrupt(scene, shown)
    assert show_wallet(scene.issuer, wallet).available_minor == 5_50

    scene.now_ms += HOLD_MS - 1
    assert expire_charges(scene.issuer) == 0
    scene.now_ms += 1
    assert expire_charges(scene.issuer) == 1

    assert show_wallet(scene.issuer, wallet).available_minor == 10_00
    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert scene.circulating() == 0


def test_who_comes_back_too_late_is_refused_even_before_the_sweep(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    _interrupt(scene, shown)
    scene.now_ms += HOLD_MS

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)

    assert expire_charges(scene.issuer) == 1
    assert show_wallet(scene.issuer, wallet).available_minor == 10_00
    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)


def test_a_void_that_comes_while_the_notes_are_signed_wins(scene: Scene) -> None:
    """
    The clock is read once at each of the two commits; before the second one somebody voids the charge.
    """
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    readings: list[int] = []

    def clock() -> int:
        readings.append(scene.now_ms)
        if len(readings) == 2:
            assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()
        return scene.now_ms

    issuer = replace(scene.issuer, clock=clock)
    outcome = send(issuer, shown)

    assert len(readings) == 2
    assert outcome == Declined(DeclineReason.VOIDED)
    assert show_wallet(scene.issuer, wallet).available_minor == 10_00
    assert scene.circulating() == 0


def test_charges_that_were_given_back_do_not_count_towards_the_limit(scene: Scene) -> None:
    scene.payer("ada", 500_00)
    for _ in range(3):
        _interrupt(scene, scene.show("ada", 50_00))
    assert scene.charge(scene.show("ada", 1)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)

    scene.now_ms += HOLD_MS
    assert expire_charges(scene.issuer) == 3

    assert isinstance(scene.charge(scene.show("ada", 50_00)), Approved)


@pytest.mark.sqlite
def test_a_full_disk_changes_nothing_and_the_same_request_succeeds_afterwards(scene: Scene) -> None:
    wallet = scene.payer("ada", 100_00)
    _limit_pages(scene, grow_by=0)
    shown = scene.show("ada", 1)
    paid = 0
    with pytest.raises(StoreFull):
        for _ in range(200):
            shown = scene.show("ada", 1)
            scene.charge(shown)
            paid += 1

    assert scene.balance(wallet) == 100_00 - paid
    assert scene.circulating() == paid
    _limit_pages(scene, grow_by=1000)
    scene.notes(shown, scene.charge(shown))
    assert scene.balance(wallet) == 100_00 - paid - 1
    assert show_wallet(scene.issuer, wallet).available_minor == 100_00 - paid - 1


def _interrupt(scene: Scene, shown: Shown) -> None:
    """
    Leave a charge reserved: the issuer crashes before it signs.
    """
    crash(scene, lambda issuer: send(issuer, shown), at=0, is_committed=True)


def _limit_pages(scene: Scene, *, grow_by: int) -> None:
    with scene.issuer.database.unit_of_work() as uow:
        row = uow.row("PRAGMA page_count")
        assert row is not None
        uow.execute(f"PRAGMA max_page_count = {row[0] + grow_by}")
