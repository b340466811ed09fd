"""
A refund is credited once, whatever is lost on the way, and the notes that were bought for it are never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.errors import EnvelopeInvalid, IdReused, NotFound, PartyUnavailable
from handsel.flows.acquiring.accounts import differences, settlement
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.ports import Redeemed
from handsel.flows.acquiring.request_refund import cancel_refund
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.notes.note import Note
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.held_note import NoteState
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent, Pending
from handsel.pay.refund import Refund, Refunded, RefundStatus
from tests.flows.acquiring.crashing_store import crash_at_call, crash_at_commit
from tests.flows.acquiring.near_issuer import Line, NearIssuer
from tests.flows.acquiring.street import NOW_MS, SHOP, TILL, Street, at_once

VOIDED = Declined(DeclineReason.VOIDED)


@pytest.fixture
def paid(street: Street) -> PaymentIntent:
    """
    A payment of 4.50 by `ann`, whose notes are held.
    """
    return street.pay("ann", 450)


@pytest.fixture
def refund(street: Street, paid: PaymentIntent) -> Refund:
    """
    A refund of 2.00 of it, which waits for the palm.
    """
    return street.ask_refund(paid, 200)


def is_refunded(street: Street, refund: Refund) -> None:
    """
    Check that the refund was carried out once, and that all books agree when the dust has settled.
    """
    street.resolve()
    street.redeem()
    assert street.refund(refund.id).status is RefundStatus.SUCCEEDED
    assert (street.wallet_minor(), street.shop_minor()) == (100_00 - 250, 250)
    street.audit()


def is_not_refunded(street: Street, refund: Refund) -> None:
    """
    Check that nothing was paid back, that the refund waits on, and that all books agree when the dust has settled.
    """
    street.resolve()
    street.redeem()
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM
    assert (street.wallet_minor(), street.shop_minor()) == (100_00 - 450, 450)
    assert street.in_hand(settlement) == 450
    street.audit()


def test_a_palm_is_credited_at_the_merchants_expense(street: Street, paid: PaymentIntent, refund: Refund) -> None:
    state = street.submit_refund(street.show_for_refund("ann", refund))

    assert isinstance(state, Refunded) and state.receipt_code == paid.receipt_code
    assert show_receipt(street.acquirer, state.receipt_code).refunded == Money(200, "EUR")
    is_refunded(street, refund)


def test_a_refund_from_balance_redeems_nothing_first(street: Street, refund: Refund) -> None:
    street.redeem()
    redemptions = street.issuer.calls["redeem"]

    street.submit_refund(street.show_for_refund("ann", refund))

    assert street.issuer.calls["redeem"] == redemptions
    is_refunded(street, refund)


def test_a_payment_is_refunded_in_parts_until_nothing_is_left(street: Street, paid: PaymentIntent) -> None:
    for minor in (200, 249, 1):
        refund = street.ask_refund(paid, minor)
        assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)

    street.redeem()
    assert (street.wallet_minor(), street.shop_minor()) == (100_00, 0)
    street.audit()


def test_a_stranger_is_declined_and_the_notes_become_balance(street: Street, refund: Refund) -> None:
    state = street.submit_refund(street.show_for_refund("nobody", refund))

    assert state == Declined(DeclineReason.NOT_RECOGNISED)
    is_not_refunded(street, refund)


def test_a_declined_refund_can_be_tried_again(street: Street, refund: Refund) -> None:
    street.submit_refund(street.show_for_refund("nobody", refund))

    assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)
    is_refunded(street, refund)


def test_a_till_cannot_try_palms_for_ever_on_one_refund(street: Street, refund: Refund) -> None:
    tries = street.acquirer.bounds.charges_declined_max
    for number in range(tries):
        assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM, number
        assert street.submit_refund(street.show_for_refund("nobody", refund)) == Declined(DeclineReason.NOT_RECOGNISED)

    assert street.refund(refund.id).status is RefundStatus.CANCELED
    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED
    street.redeem()
    street.audit()


def test_a_repeated_attempt_is_answered_and_not_repeated(street: Street, refund: Refund) -> None:
    shown = street.show_for_refund("ann", refund)
    first = street.submit_refund(shown)

    assert street.submit_refund(shown) == first
    assert street.issuer.calls["refund"] == 1


def test_a_double_tap_credits_once(street: Street, refund: Refund) -> None:
    shown = street.show_for_refund("ann", refund)

    states = at_once(*(lambda: street.submit_refund(shown) for _ in range(4)))

    assert all(isinstance(state, Refunded | Pending) for state in states)
    assert street.issuer.calls["refund"] == 1
    is_refunded(street, refund)


def test_two_attempts_at_once_credit_once(street: Street, refund: Refund) -> None:
    attempts = [street.show_for_refund("ann", refund) for _ in range(2)]

    def act(shown: ShownForRefund) -> str:
        try:
            return type(street.submit_refund(shown)).__name__
        except IdReused:
            return "refused"

    assert sorted(at_once(lambda: act(attempts[0]), lambda: act(attempts[1]))) == ["Refunded", "refused"]
    is_refunded(street, refund)


def test_two_refunds_at_once_share_the_balance(street: Street, paid: PaymentIntent) -> None:
    shown = [street.show_for_refund("ann", street.ask_refund(paid, 200)) for _ in range(2)]

    at_once(lambda: street.submit_refund(shown[0]), lambda: street.submit_refund(shown[1]))
    street.resolve()
    street.redeem()

    assert street.wallet_minor() + street.shop_minor() == 100_00
    street.audit()


def test_a_canceled_refund_is_not_carried_out(street: Street, refund: Refund) -> None:
    cancel_refund(street.acquirer, SHOP, refund.id)

    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED
    assert street.wallet_minor() == 100_00 - 450


def test_a_refund_under_way_or_done_is_not_canceled(street: Street, refund: Refund) -> None:
    seen: list[RefundStatus] = []
    street.issuer.on_answer = lambda _: seen.append(cancel_refund(street.acquirer, SHOP, refund.id).status)

    street.submit_refund(street.show_for_refund("ann", refund))

    assert set(seen) == {RefundStatus.PROCESSING}
    assert cancel_refund(street.acquirer, SHOP, refund.id).status is RefundStatus.SUCCEEDED
    with pytest.raises(IdReused):
        street.submit_refund(street.show_for_refund("ann", refund))


def test_ids_belong_to_one_refund_and_one_till(street: Street, paid: PaymentIntent, refund: Refund) -> None:
    other_till = Till("corner-cafe", "till-2")
    register_till(street.acquirer, other_till, token="o" * 64)
    shown = street.show_for_refund("ann", refund)
    with pytest.raises(NotFound):
        submit_refund(street.acquirer, other_till, shown, now_ms=NOW_MS)
    street.submit_refund(shown)

    with pytest.raises(IdReused):
        street.submit_refund(replace(shown, refund_id=street.ask_refund(paid, 1).id))
    with pytest.raises(IdReused):
        submit_refund(street.acquirer, other_till, shown, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        street.submit_refund(replace(shown, attempt_id=new_id(), refund_id=new_id()))


@pytest.mark.parametrize("dead", ["a", "b", "c"])
def test_a_dead_matcher_costs_nothing(street: Street, refund: Refund, dead: str) -> None:
    street.matchers.down = {dead}

    with pytest.raises(PartyUnavailable):
        street.submit_refund(street.show_for_refund("ann", refund))

    assert street.issuer.calls["buy_notes"] == 0
    is_not_refunded(street, refund)


@pytest.mark.parametrize("failure", [Line.REFUSED, Line.LOST, Line.CUT])
@pytest.mark.parametrize("call", ["redeem", "buy_notes"])
def test_an_issuer_that_does_not_sell_notes_costs_nothing(
    street: Street, refund: Refund, call: str, failure: Line
) -> None:
    street.issuer.line = {call: failure}
    with pytest.raises(PartyUnavailable):
        street.submit_refund(street.show_for_refund("ann", refund))
    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM

    street.issuer.line = {}

    is_not_refunded(street, refund)


def test_a_refund_that_did_not_reach_the_issuer_costs_nothing(street: Street, refund: Refund) -> None:
    street.issuer.line = {"refund": Line.REFUSED}

    with pytest.raises(PartyUnavailable):
        street.submit_refund(street.show_for_refund("ann", refund))

    is_not_refunded(street, refund)


def test_a_refund_that_is_lost_is_undone_by_redeeming_its_notes(street: Street, refund: Refund) -> None:
    street.issuer.line = {"refund": Line.LOST}

    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED

    is_not_refunded(street, refund)


def test_an_answer_that_is_lost_shows_in_the_notes(street: Street, refund: Refund) -> None:
    street.issuer.line = {"refund": Line.CUT}

    assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)

    is_refunded(street, refund)
    with street.database.unit_of_work() as books:
        assert books.notes.count(NoteState.REFUSED) == 0


@pytest.mark.parametrize("settling", [Line.REFUSED, Line.LOST, Line.CUT])
@pytest.mark.parametrize("lost", [Line.LOST, Line.CUT])
def test_what_stays_unknown_is_pending_until_it_is_resolved(
    street: Street, refund: Refund, lost: Line, settling: Line
) -> None:
    street.redeem()
    shown = street.show_for_refund("ann", refund)
    street.issuer.line = {"refund": lost, "redeem": settling}
    assert street.submit_refund(shown) == Pending()
    assert street.submit_refund(shown) == Pending()
    assert street.refund(refund.id).status is RefundStatus.PROCESSING

    street.issuer.line = {}

    (is_refunded if lost is Line.CUT else is_not_refunded)(street, refund)
    assert (street.submit_refund(shown) == VOIDED) is (lost is Line.LOST)


@pytest.mark.parametrize("call", ["redeem", "buy_notes"])
def test_an_attempt_that_is_given_up_while_it_is_under_way_sends_no_notes(
    street: Street, refund: Refund, call: str
) -> None:
    def give_up(answered: str) -> None:
        if answered == call:
            street.issuer.on_answer = lambda _: None
            street.resolve()

    street.issuer.on_answer = give_up

    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED

    assert street.issuer.calls["refund"] == 0
    is_not_refunded(street, refund)


def test_a_credit_that_comes_while_its_notes_are_being_redeemed_is_booked_once(street: Street, refund: Refund) -> None:
    street.redeem()
    street.issuer.on_answer = lambda call: street.resolve() if call == "refund" else None

    assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)

    is_refunded(street, refund)


def test_an_order_that_the_issuer_cannot_open_costs_nothing(street: Street, refund: Refund) -> None:
    shown = street.show_for_refund("ann", refund)

    with pytest.raises(EnvelopeInvalid):
        street.submit_refund(replace(shown, order=shown.order[:-1] + b"\0"))

    is_not_refunded(street, refund)


def test_without_balance_and_notes_the_refund_waits(street: Street, refund: Refund) -> None:
    class RefusingIssuer(NearIssuer):
        def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> Redeemed:
            return Redeemed((), ())

    refusing = RefusingIssuer(street.issuer.issuer)
    street.acquirer = replace(street.acquirer, issuer=refusing)

    assert street.submit_refund(street.show_for_refund("ann", refund)) == VOIDED

    assert street.refund(refund.id).status is RefundStatus.REQUIRES_PALM
    assert refusing.calls["buy_notes"] == 0
    assert street.in_hand(differences) == 450


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", range(7))
def test_a_crash_at_any_commit_leaves_a_refund_that_ends(
    street: Street, refund: Refund, at: int, is_committed: bool
) -> None:
    shown = street.show_for_refund("ann", refund)

    assert crash_at_commit(street, submitting(shown), at=at, is_committed=is_committed)

    end_and_refund(street, refund, shown)


def test_the_crashes_before_cover_every_commit(street: Street, refund: Refund) -> None:
    assert not crash_at_commit(street, submitting(street.show_for_refund("ann", refund)), at=7, is_committed=False)


@pytest.mark.parametrize("call", ["redeem", "buy_notes", "refund"])
@pytest.mark.parametrize("side", ["crash_before", "crash_after"])
def test_a_crash_at_the_issuer_leaves_a_refund_that_ends(street: Street, refund: Refund, side: str, call: str) -> None:
    shown = street.show_for_refund("ann", refund)
    setattr(street.issuer, side, call)

    crash_at_call(street, submitting(shown))

    end_and_refund(street, refund, shown)


@pytest.mark.parametrize("side", ["crash_before", "crash_after"])
@pytest.mark.parametrize("lost", [Line.LOST, Line.CUT])
def test_a_crash_while_settling_leaves_a_refund_that_ends(
    street: Street, refund: Refund, lost: Line, side: str
) -> None:
    street.redeem()
    shown = street.show_for_refund("ann", refund)
    street.issuer.line = {"refund": lost}
    setattr(street.issuer, side, "redeem")

    crash_at_call(street, submitting(shown))

    end_and_refund(street, refund, shown)


def submitting(shown: ShownForRefund) -> Callable[[Acquirer], object]:
    return lambda acquirer: submit_refund(acquirer, TILL, shown, now_ms=NOW_MS)


def end_and_refund(street: Street, refund: Refund, shown: ShownForRefund) -> None:
    """
    Let time pass, and the till try again where the attempt came to nothing; then the refund was carried out once.
    """
    street.resolve()
    if street.submit_refund(shown) == VOIDED:
        assert isinstance(street.submit_refund(street.show_for_refund("ann", refund)), Refunded)
    is_refunded(street, refund)
