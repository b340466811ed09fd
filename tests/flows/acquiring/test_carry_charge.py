"""
A charge is carried once, whatever is lost on the way, and every one comes to an end.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, EnvelopeInvalid, IdReused, InvariantBroken, NotFound, PartyUnavailable
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.carry_charge import charge_state, submit_charge
from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.flows.acquiring.sign_in import register_till
from handsel.ids import new_id
from handsel.matching.message import PerMatcher
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.merchant import Till
from handsel.pay.payment import Approved, Paid, PaymentStatus, Pending
from tests.flows.acquiring.crashing_store import crash_at_call, crash_at_commit
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import NOW_MS, SHOP, TILL, ShownAtTill, Street, at_once

OTHER_TILL = Till("corner-cafe", "till-2")
VOIDED = Declined(DeclineReason.VOIDED)


def test_a_palm_pays(street: Street) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)

    state = street.submit(shown)

    assert isinstance(state, Approved)
    assert street.payment(payment.id).status is PaymentStatus.PROCESSING
    assert street.wallet_minor() == 100_00 - 450
    street.audit(at_tills=450)


def test_a_stranger_is_declined_and_the_payment_waits_on(street: Street) -> None:
    payment = street.ask()

    state = street.submit(street.show("nobody", payment))

    assert state == Declined(DeclineReason.NOT_RECOGNISED)
    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM


def test_the_tenth_decline_cancels_the_payment(street: Street) -> None:
    payment = street.ask()
    for _ in range(9):
        street.submit(street.show("nobody", payment))
    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM

    street.submit(street.show("nobody", payment))

    assert street.payment(payment.id).status is PaymentStatus.CANCELED
    assert street.submit(street.show("ann", payment)) == VOIDED


def test_a_repeated_charge_is_answered_and_not_repeated(street: Street) -> None:
    shown = street.show("ann", street.ask())
    first = street.submit(shown)

    again = street.submit(shown)

    assert again == first
    assert street.issuer.calls["charge"] == 1


def test_a_double_tap_makes_one_charge(street: Street) -> None:
    shown = street.show("ann", street.ask(450))

    states = at_once(*(lambda: street.submit(shown) for _ in range(4)))

    assert sum(isinstance(state, Approved) for state in states) >= 1
    assert all(isinstance(state, Approved | Pending) for state in states)
    assert street.issuer.calls["charge"] == 1
    assert street.wallet_minor() == 100_00 - 450


def test_two_charges_of_one_payment_at_once_make_one(street: Street) -> None:
    payment = street.ask(450)
    taps = [street.show("ann", payment), street.show("ann", payment)]

    def tap(shown: ShownAtTill) -> str:
        try:
            return type(street.submit(shown)).__name__
        except IdReused:
            return "refused"

    assert sorted(at_once(lambda: tap(taps[0]), lambda: tap(taps[1]))) == ["Approved", "refused"]
    assert street.wallet_minor() == 100_00 - 450


def test_a_paid_payment_is_not_charged_again(street: Street) -> None:
    payment = street.pay("ann", 450)

    with pytest.raises(IdReused):
        street.submit(street.show("ann", payment))
    assert street.wallet_minor() == 100_00 - 450


@pytest.mark.parametrize("change", ["one id for both", "no id", "short digest"])
def test_a_charge_without_an_order_id_and_a_digest_of_its_own_is_refused(street: Street, change: str) -> None:
    sent = street.show("ann", street.ask()).sent
    with pytest.raises(BodyInvalid):
        replace(
            sent,
            order_id={"one id for both": sent.charge_id, "no id": ""}.get(change, sent.order_id),
            return_digest=bytes(31) if change == "short digest" else sent.return_digest,
        )


def test_an_order_is_good_for_one_charge_alone(street: Street) -> None:
    """
    It cannot be submitted again for another payment, while the first is under way or afterwards.
    """
    sent, other = street.show("ann", street.ask()).sent, street.ask()

    for field in ("charge_id", "nonce", "order_id"):
        ids = {name: getattr(sent, name) for name in ("charge_id", "nonce", "order_id")} | {field: new_id()}
        with pytest.raises(BodyInvalid, match="follows from its charge"):
            replace(sent, payment_id=other.id, charge_id=ids["charge_id"], nonce=ids["nonce"], order_id=ids["order_id"])


def test_a_charge_id_belongs_to_one_payment(street: Street) -> None:
    shown = street.show("ann", street.ask())
    street.submit(shown)

    with pytest.raises(IdReused):
        street.submit(street.show("ann", street.ask(), charge_id=shown.sent.charge_id))


def test_a_till_charges_only_what_it_is_asked_for(street: Street) -> None:
    register_till(street.acquirer, OTHER_TILL, token="o" * 64)
    shown = street.show("ann", street.ask())

    with pytest.raises(NotFound):
        submit_charge(street.acquirer, OTHER_TILL, shown.sent, now_ms=NOW_MS)
    street.submit(shown)
    with pytest.raises(IdReused):
        submit_charge(street.acquirer, OTHER_TILL, shown.sent, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        charge_state(street.acquirer, OTHER_TILL, shown.sent.charge_id)


def test_an_unknown_payment_and_an_unknown_charge_are_not_found(street: Street) -> None:
    payment = replace(street.ask(), id=new_id())

    with pytest.raises(NotFound):
        street.submit(street.show("ann", payment))
    with pytest.raises(NotFound):
        charge_state(street.acquirer, TILL, new_id())


@pytest.mark.parametrize("dead", ["a", "b", "c"])
def test_a_dead_matcher_leaves_the_payment_free(street: Street, dead: str) -> None:
    payment = street.ask()
    shown = street.show("ann", payment)
    street.matchers.down = {dead}

    with pytest.raises(PartyUnavailable):
        street.submit(shown)

    assert charge_state(street.acquirer, TILL, shown.sent.charge_id) == VOIDED
    assert street.issuer.calls["charge"] == 0
    street.matchers.down = set()
    assert isinstance(street.submit(street.show("ann", payment)), Approved)


def test_an_issuer_that_was_not_reached_leaves_the_payment_free(street: Street) -> None:
    payment = street.ask()
    street.issuer.line = {"charge": Line.REFUSED, "void": Line.REFUSED}

    with pytest.raises(PartyUnavailable):
        street.submit(street.show("ann", payment))

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.wallet_minor() == 100_00


def test_a_request_that_is_lost_is_voided_at_once(street: Street) -> None:
    payment = street.ask()
    street.issuer.line = {"charge": Line.LOST}

    assert street.submit(street.show("ann", payment)) == VOIDED
    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    assert street.wallet_minor() == 100_00


def test_an_answer_that_is_lost_is_asked_for_at_once(street: Street) -> None:
    shown = street.show("ann", street.ask(450))
    street.issuer.line = {"charge": Line.CUT}

    state = street.submit(shown)

    street.hand_over(shown, street.notes(shown, state))
    assert street.wallet_minor() == 100_00 - 450
    street.audit()


@pytest.mark.parametrize("lost", [Line.LOST, Line.CUT])
@pytest.mark.parametrize("void", [Line.REFUSED, Line.LOST, Line.CUT])
def test_what_stays_unknown_is_pending_until_it_is_resolved(street: Street, lost: Line, void: Line) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)
    street.issuer.line = {"charge": lost, "void": void}
    assert street.submit(shown) == Pending()
    assert street.submit(shown) == Pending()
    assert street.payment(payment.id).status is PaymentStatus.PROCESSING

    street.issuer.line = {}
    street.resolve()

    state = charge_state(street.acquirer, TILL, shown.sent.charge_id)
    if lost is Line.CUT:
        street.hand_over(shown, street.notes(shown, state))
        assert street.payment(payment.id).status is PaymentStatus.SUCCEEDED
    else:
        assert state == VOIDED
        assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM
    street.audit()


def test_a_charge_that_is_late_at_the_issuer_is_not_resolved_too_early(street: Street) -> None:
    shown = street.show("ann", street.ask())
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    street.submit(shown)
    street.issuer.line = {}
    street.now_ms -= 1

    street.resolve()
    assert charge_state(street.acquirer, TILL, shown.sent.charge_id) == Pending()
    street.now_ms = NOW_MS
    street.resolve()
    assert charge_state(street.acquirer, TILL, shown.sent.charge_id) == VOIDED


def test_one_charge_that_cannot_be_resolved_does_not_hold_up_the_others(street: Street) -> None:
    register_till(street.acquirer, OTHER_TILL, token="o" * 64)
    shown = [street.show("ann", street.ask()) for _ in range(2)]
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    for each in shown:
        street.submit(each)
    street.issuer.line = {}
    street.issuer.raises = {"void": InvariantBroken("the issuer has a defect")}

    with pytest.raises(InvariantBroken):
        street.resolve()
    assert street.issuer.calls["void"] == 0
    street.issuer.raises = {}
    street.resolve()

    assert [charge_state(street.acquirer, TILL, each.sent.charge_id) for each in shown] == [VOIDED, VOIDED]


def test_an_order_that_the_issuer_cannot_open_costs_nothing(street: Street) -> None:
    payment = street.ask()
    shown = street.show("ann", payment)
    damaged = replace(shown.sent, order=shown.sent.order[:-1] + b"\0")

    with pytest.raises(EnvelopeInvalid):
        street.submit(replace(shown, sent=damaged))

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM


def test_a_query_that_a_matcher_cannot_open_costs_nothing(street: Street) -> None:
    payment = street.ask()
    shown = street.show("ann", payment)
    damaged = replace(shown.sent, queries=PerMatcher(b"", b"", b""))

    with pytest.raises(EnvelopeInvalid):
        street.submit(replace(shown, sent=damaged))

    assert street.payment(payment.id).status is PaymentStatus.REQUIRES_PALM


def test_a_palm_that_was_shown_for_another_payment_is_declined(street: Street) -> None:
    earlier = street.show("ann", street.ask(100))
    shown = street.show("nobody", street.ask(450))
    mixed = replace(shown.sent, queries=earlier.sent.queries)

    assert street.submit(replace(shown, sent=mixed)) == Declined(DeclineReason.BOUND_TO_OTHER)


def test_a_payment_that_is_canceled_while_the_palm_is_matched_is_not_paid(street: Street) -> None:
    payment = street.ask()
    shown = street.show("ann", payment)
    done: list[PaymentStatus] = []

    def cancel() -> None:
        if not done:
            done.append(cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status)

    street.matchers.on_query = cancel

    assert street.submit(shown) == VOIDED
    assert PaymentStatus.CANCELED in done or street.payment(payment.id).status is PaymentStatus.CANCELED
    assert street.wallet_minor() == 100_00


def test_a_charge_that_is_resolved_while_it_is_under_way_has_one_outcome(street: Street) -> None:
    slow, slower = street.show("ann", street.ask(450)), street.show("ann", street.ask(450))
    street.issuer.on_answer = lambda call: street.resolve() if call == "charge" else None
    approved = street.submit(slow)
    street.issuer.on_answer = lambda _: None
    street.matchers.on_query = street.resolve

    assert isinstance(approved, Approved)
    assert street.submit(slower) == VOIDED
    assert street.wallet_minor() == 100_00 - 450


def test_a_payment_that_the_issuer_has_approved_cannot_be_canceled(street: Street) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)
    seen: list[PaymentStatus] = []

    def cancel(call: str) -> None:
        if call == "charge":
            seen.append(cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status)

    street.issuer.on_answer = cancel
    state = street.submit(shown)

    assert seen == [PaymentStatus.PROCESSING]
    street.hand_over(shown, street.notes(shown, state))
    assert street.payment(payment.id).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("turn", range(5))
def test_of_cancel_and_charge_at_once_exactly_one_wins(street: Street, turn: int) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)

    charged, canceled = at_once(
        lambda: isinstance(street.submit(shown), Approved),
        lambda: (
            cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status
            is PaymentStatus.CANCELED
        ),
    )

    assert [charged, canceled].count(True) == 1
    assert street.wallet_minor() == (100_00 - 450 if charged else 100_00)


@pytest.mark.parametrize("is_committed", [False, True])
@pytest.mark.parametrize("at", range(2))
def test_a_crash_at_any_commit_leaves_a_charge_that_ends(street: Street, at: int, is_committed: bool) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)

    def act(acquirer: Acquirer) -> object:
        return submit_charge(acquirer, TILL, shown.sent, now_ms=NOW_MS)

    assert crash_at_commit(street, act, at=at, is_committed=is_committed)

    end_and_pay(street, payment.id, shown)


@pytest.mark.parametrize("side", ["crash_before", "crash_after"])
def test_a_crash_at_the_issuer_leaves_a_charge_that_ends(street: Street, side: str) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)
    setattr(street.issuer, side, "charge")

    crash_at_call(street, lambda acquirer: submit_charge(acquirer, TILL, shown.sent, now_ms=NOW_MS))

    end_and_pay(street, payment.id, shown)


def end_and_pay(street: Street, payment_id: str, shown: ShownAtTill) -> None:
    """
    Let the till ask again, and time pass; then the payment can be paid, and has been paid once.
    """
    street.resolve()
    state = street.submit(shown)
    if state == VOIDED:
        shown = street.show("ann", street.payment(payment_id))
        state = street.submit(shown)
    street.hand_over(shown, street.notes(shown, state))

    assert street.payment(payment_id).status is PaymentStatus.SUCCEEDED
    assert street.wallet_minor() == 100_00 - 450
    street.audit()


def test_a_till_that_lost_everything_but_its_journal_still_gets_paid(street: Street) -> None:
    shown = street.show("ann", street.ask(450))
    street.submit(shown)
    street.restart()
    street.resolve()

    state = charge_state(street.acquirer, TILL, shown.sent.charge_id)
    street.hand_over(shown, street.notes(shown, state))

    assert isinstance(charge_state(street.acquirer, TILL, shown.sent.charge_id), Paid)
    street.audit()


def test_a_till_that_never_comes_back_leaves_money_in_circulation(street: Street) -> None:
    payment = street.ask(450)
    street.submit(street.show("ann", payment))

    for _ in range(3):
        street.resolve()

    assert street.payment(payment.id).status is PaymentStatus.PROCESSING
    assert (street.circulating_minor(), street.shop_minor()) == (450, 0)


@pytest.mark.sqlite
def test_nothing_that_was_sealed_and_nobody_who_paid_is_in_the_books(street: Street) -> None:
    payment = street.ask(450)
    shown = street.show("ann", payment)
    street.hand_over(shown, street.notes(shown, street.submit(shown)))
    queries = shown.sent.queries
    street.database.close()

    stored = b"".join(path.read_bytes() for path in (street.directory / "acquirer").iterdir())

    assert payment.id.encode() in stored and isinstance(queries, PerMatcher)
    sealed = [shown.sent.order, queries.a, queries.b, queries.c]
    for secret in [*sealed, street.wallets["ann"].encode(), *street.matchers.own.values()]:
        assert secret[:16] not in stored
