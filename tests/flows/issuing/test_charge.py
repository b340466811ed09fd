"""
Promise that a charge debits the one whose palm was shown, for what it was shown, once, or nobody.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import msgspec
import pytest

from handsel.envelope import seal
from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused
from handsel.flows.issuing.approved import Approved
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pause_palm import pause_palm, resume_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.matching.message import PerMatcher
from handsel.order import CHARGE, REFUND, ChargeOrder, NoteRequest, digest_of_notes
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.limit import DAY_MS
from tests.flows.issuing.scene import ACQUIRER, Scene, send


def palm_of(scene: Scene, wallet_id: str) -> str:
    return show_wallet(scene.issuer, wallet_id).palms[0].palm_id


def test_a_palm_pays_and_the_notes_are_worth_the_sum(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    bystander = scene.payer("bob", 10_00)

    notes = scene.buy("ada", 4_50)

    assert len(notes) == 4
    assert scene.balance(wallet) == 5_50
    assert scene.balance(bystander) == 10_00
    assert scene.circulating() == 4_50


def test_the_same_request_debits_once_and_has_the_same_signatures(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)

    first, second = scene.charge(shown), scene.charge(shown)

    assert isinstance(first, Approved)
    assert first == second
    assert scene.balance(wallet) == 5_50


def test_a_request_that_comes_again_after_a_restart_with_other_answers_has_the_same_outcome(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    first = scene.charge(shown)
    scene.restart()

    garbled = PerMatcher(b"a", b"b", b"c")

    assert send(scene.issuer, replace(shown, answers=garbled)) == first
    assert scene.balance(wallet) == 5_50


def test_the_same_id_with_another_order_is_an_error(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    shown = scene.show("ada", 4_50)
    scene.charge(shown)

    other = scene.show("ada", 1_00, alter=lambda order: msgspec.structs.replace(order, order_id=shown.charge_id))
    with pytest.raises(IdReused):
        scene.charge(other)
    assert scene.balance(wallet) == 5_50


def test_a_stranger_is_not_recognised(scene: Scene) -> None:
    scene.payer("ada")

    assert scene.charge(scene.show(None, 4_50)) == Declined(DeclineReason.NOT_RECOGNISED)


def test_two_palms_that_match_are_ambiguous_and_neither_pays(scene: Scene) -> None:
    wallets = [scene.payer("ada"), scene.payer("bob")]

    assert scene.charge(scene.show("ada+bob", 4_50)) == Declined(DeclineReason.AMBIGUOUS)
    assert [scene.balance(wallet) for wallet in wallets] == [100_00, 100_00]


def test_a_palm_that_is_only_being_enrolled_does_not_pay(scene: Scene) -> None:
    scene.begin(scene.wallet(10_00), "ada")

    assert scene.charge(scene.show("ada", 4_50)) == Declined(DeclineReason.NOT_RECOGNISED)


def test_a_paused_palm_does_not_pay_until_it_is_woken(scene: Scene) -> None:
    wallet = scene.payer("ada")
    pause_palm(scene.issuer, wallet, palm_id=palm_of(scene, wallet))

    assert scene.charge(scene.show("ada", 4_50)) == Declined(DeclineReason.PALM_PAUSED)

    resume_palm(scene.issuer, wallet, palm_id=palm_of(scene, wallet))
    assert isinstance(scene.charge(scene.show("ada", 4_50)), Approved)


def test_an_erased_palm_does_not_pay_even_before_the_matchers_know(scene: Scene) -> None:
    wallet = scene.payer("ada")
    erase_palm(scene.issuer, wallet, palm_id=palm_of(scene, wallet))

    assert scene.charge(scene.show("ada", 4_50)) == Declined(DeclineReason.NOT_RECOGNISED)


def test_the_palm_of_a_closed_wallet_does_not_pay(scene: Scene) -> None:
    close_wallet(scene.issuer, scene.payer("ada"))

    assert scene.charge(scene.show("ada", 4_50)) == Declined(DeclineReason.NOT_RECOGNISED)


def test_a_wallet_closed_by_hand_around_its_palm_does_not_pay(scene: Scene) -> None:
    wallet = scene.payer("ada")
    with scene.issuer.database.unit_of_work() as uow:
        uow.execute("UPDATE wallets SET closed_at_ms = 1 WHERE id = ?", wallet)
        uow.commit()

    assert scene.charge(scene.show("ada", 4_50)) == Declined(DeclineReason.WALLET_CLOSED)


def test_a_hand_that_was_shown_for_another_payment_does_not_pay(scene: Scene) -> None:
    wallet = scene.payer("ada")
    small, large = scene.show("ada", 1_00), scene.show("ada", 50_00)

    outcome = send(scene.issuer, replace(large, answers=small.answers))

    assert outcome == Declined(DeclineReason.BOUND_TO_OTHER)
    assert scene.balance(wallet) == 100_00


def test_all_that_is_there_can_be_paid_and_not_one_cent_more(scene: Scene) -> None:
    scene.payer("ada", 4_50)

    assert scene.charge(scene.show("ada", 4_51)) == Declined(DeclineReason.INSUFFICIENT_FUNDS)
    assert isinstance(scene.charge(scene.show("ada", 4_50)), Approved)


def test_one_payment_goes_up_to_the_limit(scene: Scene) -> None:
    scene.payer("ada", 500_00)

    assert scene.charge(scene.show("ada", 500_01)) == Declined(DeclineReason.OVER_LIMIT)
    assert scene.charge(scene.show("ada", 500_00)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)
    assert scene.charge(scene.show("ada", 50_01)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)
    assert isinstance(scene.charge(scene.show("ada", 50_00)), Approved)


def test_by_palm_alone_it_goes_up_to_the_limit_however_many_days_it_takes(scene: Scene) -> None:
    scene.payer("ada", 500_00)
    for _ in range(3):
        assert isinstance(scene.charge(scene.show("ada", 50_00)), Approved)

    assert scene.charge(scene.show("ada", 1)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)
    scene.now_ms += 30 * DAY_MS
    assert scene.charge(scene.show("ada", 1)) == Declined(DeclineReason.NEEDS_SECOND_FACTOR)


def test_declined_charges_do_not_count_towards_the_limit(scene: Scene) -> None:
    scene.payer("ada", 1_00)
    for _ in range(4):
        assert scene.charge(scene.show("ada", 50_00)) == Declined(DeclineReason.INSUFFICIENT_FUNDS)

    assert isinstance(scene.charge(scene.show("ada", 1_00)), Approved)


def test_notes_of_another_sum_are_not_signed(scene: Scene) -> None:
    wallet = scene.payer("ada")
    shown = scene.show("ada", 4_50, alter=lambda order: msgspec.structs.replace(order, amount_minor=1))

    assert scene.charge(shown) == Declined(DeclineReason.NOTES_DO_NOT_ADD_UP)
    assert scene.balance(wallet) == 100_00


@pytest.mark.parametrize("message", [b"short", b"m" * 257])
def test_a_message_that_is_none_of_a_notes_is_not_signed(scene: Scene, message: bytes) -> None:
    scene.payer("ada")

    def alter(order: ChargeOrder) -> ChargeOrder:
        return msgspec.structs.replace(order, notes=(NoteRequest(order.notes[0].key_id, message), *order.notes[1:]))

    assert scene.charge(scene.show("ada", 4_50, alter=alter)) == Declined(DeclineReason.NOTE_INVALID)


def test_a_key_that_is_not_current_signs_nothing(scene: Scene) -> None:
    scene.payer("ada")

    def alter(order: ChargeOrder) -> ChargeOrder:
        return msgspec.structs.replace(order, notes=(NoteRequest("0" * 32, b"m" * 64),))

    assert scene.charge(scene.show("ada", 4_50, alter=alter)) == Declined(DeclineReason.NOTE_INVALID)


def test_notes_of_another_currency_than_the_wallets_are_not_signed(scene: Scene) -> None:
    scene.payer("ada")
    shown = scene.show("ada", 4_50, alter=lambda order: msgspec.structs.replace(order, currency="CHF"))

    assert scene.charge(shown) == Declined(DeclineReason.NOTE_INVALID)


def test_a_decline_is_for_good(scene: Scene) -> None:
    wallet = scene.payer("ada", 1_00)
    shown = scene.show("ada", 4_50)
    declined = scene.charge(shown)
    scene.payer("bob")

    richer = scene.show("bob", 4_50)

    assert send(scene.issuer, replace(shown, answers=richer.answers)) == declined
    assert scene.balance(wallet) == 1_00


@pytest.mark.parametrize(
    ("minor", "count"), [(0, 1), (-1, 1), (10**13, 1), (1, 0), (1, 65)], ids=["0", "-1", "10^13", "no note", "65 notes"]
)
def test_an_ill_formed_order_changes_nothing(scene: Scene, minor: int, count: int) -> None:
    scene.payer("ada")

    def alter(order: ChargeOrder) -> ChargeOrder:
        return msgspec.structs.replace(order, amount_minor=minor, notes=order.notes[:1] * count)

    with pytest.raises(BodyInvalid):
        scene.charge(scene.show("ada", 1, alter=alter))


def test_an_order_that_does_not_open_or_is_for_another_charge_or_use_changes_nothing(scene: Scene) -> None:
    wallet = scene.payer("ada")
    shown = scene.show("ada", 4_50)
    order = scene.refund_order(4_50)
    for_refund = seal(order, to=scene.issuer.keys.public(), purpose=REFUND)
    for_other = scene.show("ada", 1_00).order

    for sealed in (b"", shown.order[:-1], secrets.token_bytes(300), for_refund, for_other):
        with pytest.raises(EnvelopeInvalid):
            send(scene.issuer, replace(shown, order=sealed))

    assert isinstance(scene.charge(shown), Approved)
    assert scene.balance(wallet) == 95_50


def test_answers_that_do_not_open_or_are_mixed_up_change_nothing(scene: Scene) -> None:
    scene.payer("ada")
    shown, other = scene.show("ada", 4_50), scene.show("ada", 4_50)
    a, b, c = shown.answers.a, shown.answers.b, shown.answers.c

    for answers in (PerMatcher(a, b, b""), PerMatcher(a, b, b), PerMatcher(b, a, c), PerMatcher(a, b, other.answers.c)):
        with pytest.raises(EnvelopeInvalid):
            send(scene.issuer, replace(shown, answers=answers))

    assert isinstance(scene.charge(shown), Approved)


def test_what_is_sealed_for_a_charge_stays_sealed_for_others(scene: Scene) -> None:
    """
    An order that was sealed to another party does not open here.
    """
    scene.payer("ada")
    shown = scene.show("ada", 1_00)
    order = ChargeOrder(new_id(), 1_00, "EUR", b"d" * 32, ())
    elsewhere = seal(order, to=scene.matcher_keys["a"].public(), purpose=CHARGE)

    with pytest.raises(EnvelopeInvalid):
        charge(
            scene.issuer,
            order.order_id,
            acquirer=ACQUIRER,
            order=elsewhere,
            answers=shown.answers,
            notes_digest=digest_of_notes(()),
        )


def test_an_order_for_other_notes_than_the_acquirer_can_make_is_refused_also_when_it_comes_again(scene: Scene) -> None:
    wallet = scene.payer("ada")
    shown, other = scene.show("ada", 4_50), scene.show("ada", 4_50)

    for is_again in (False, True):
        for digest in (other.notes_digest, digest_of_notes(()), b"", shown.notes_digest[:-1]):
            with pytest.raises(BodyInvalid, match="other notes"):
                send(scene.issuer, replace(shown, notes_digest=digest))
        if not is_again:
            assert scene.balance(wallet) == 100_00
            assert isinstance(scene.charge(shown), Approved)
    assert scene.balance(wallet) == 95_50
