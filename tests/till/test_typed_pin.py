"""
The till's promises about a PIN: it goes with one hand, for one payment, to the issuer alone, and is kept nowhere.
"""

from __future__ import annotations

import gc

import pytest

from handsel.errors import BodyInvalid
from handsel.order import NO_PIN, pad_pin, typed_pin
from handsel.till.action import ToldAction
from handsel.till.agent_state import AgentState
from handsel.till.screen import Declined
from handsel.till.session import ATTEMPTS_MAX, NEEDS_SECOND_FACTOR, WRONG_PIN, Session
from handsel.till.texts import DECLINES
from handsel.till.typed_pin import PIN_MS_MAX, TypedPin
from tests.till.conftest import Till
from tests.till.fakes import CAKE, COFFEE, COFFEE_BACK, lost

ANN = 1
PIN = "402917"
T = 1_000_000


def declined(till: Till, reason: str = NEEDS_SECOND_FACTOR) -> AgentState:
    """
    Hold out a hand that is not enough.
    """
    till.acquirer.told = COFFEE
    till.agent.poll()
    till.acquirer.declines = [reason]
    state = till.hold_out(ANN)
    assert (state.screen, state.reason) == ("declined", reason)
    return state


def type_in(till: Till, pin: str = PIN) -> AgentState:
    return till.agent.type_pin(pin, session=till.agent.state().session)


def pins_sent(till: Till) -> list[str | None]:
    return [typed_pin(till.keyring.open_order(request)) for request in till.acquirer.charge_requests]


def test_where_a_palm_is_not_enough_the_till_asks_for_a_pin_and_then_for_the_hand(till: Till) -> None:
    state = declined(till)
    assert state.wants_pin
    assert state.may_retry  # For who said yes in the wallet.
    assert state.message == DECLINES[NEEDS_SECOND_FACTOR]

    state = type_in(till)
    assert (state.screen, state.wants_pin, state.has_pin) == ("showing", False, True)

    state = till.hold_out(ANN)
    assert (state.screen, state.has_pin) == ("paid", False)
    assert pins_sent(till) == [None, PIN]


def test_an_order_with_a_pin_is_as_long_as_one_without_and_is_bound_alike(till: Till) -> None:
    declined(till)
    type_in(till, "281904837261")
    till.hold_out(ANN)

    without, with_pin = till.acquirer.charge_requests
    assert len(without.order) == len(with_pin.order)
    assert PIN.encode() not in with_pin.order


def test_a_pin_is_sent_once(till: Till) -> None:
    declined(till)
    type_in(till)
    till.acquirer.declines = [WRONG_PIN]
    state = till.hold_out(ANN)
    assert (state.reason, state.wants_pin, state.has_pin) == (WRONG_PIN, True, False)

    till.agent.retry()
    till.hold_out(ANN)

    assert pins_sent(till) == [None, PIN, None]


def test_the_same_request_is_sent_again_with_the_same_pin(till: Till) -> None:
    declined(till)
    type_in(till)
    till.acquirer.breaks = {"charge.sent": [lost()]}
    till.hold_out(ANN)
    till.poll_until("paid")

    assert pins_sent(till) == [None, PIN]


def test_a_pin_is_in_no_file_no_log_and_no_state(till: Till) -> None:
    declined(till)
    state = type_in(till)
    till.acquirer.breaks = {"charge.answered": [lost()]}
    later = till.hold_out(ANN)

    kept = [path.read_bytes() for path in till.directory.rglob("*") if path.is_file()]
    assert any(COFFEE.id.encode() in content for content in kept)
    for content in (*kept, till.log.getvalue().encode(), repr(state).encode(), repr(later).encode()):
        assert PIN.encode() not in content


def test_once_it_is_sent_nothing_of_the_pin_is_left_in_memory(till: Till) -> None:
    declined(till)
    type_in(till)
    assert any(isinstance(held, TypedPin) for held in gc.get_objects())

    till.hold_out(ANN)

    gc.collect()
    assert not any(isinstance(held, TypedPin) for held in gc.get_objects())


@pytest.mark.parametrize(("wait_ms", "is_held"), [(PIN_MS_MAX - 1, True), (PIN_MS_MAX, False)])
def test_a_pin_of_who_has_left_is_forgotten(till: Till, wait_ms: int, is_held: bool) -> None:
    declined(till)
    type_in(till)
    till.clock.pass_ms(wait_ms)

    assert till.agent.state().has_pin == is_held
    till.hold_out(ANN)
    assert pins_sent(till) == [None, PIN if is_held else None]


def test_a_pin_is_forgotten_with_the_payment_that_it_was_typed_for(till: Till) -> None:
    declined(till)
    type_in(till)
    till.acquirer.told = CAKE

    assert not till.agent.poll().has_pin
    till.hold_out(ANN)
    assert pins_sent(till) == [None, None]


def test_a_cancelled_pin_is_forgotten(till: Till) -> None:
    declined(till)
    type_in(till)

    assert not till.agent.cancel().has_pin
    assert not till.agent.retry().has_pin


@pytest.mark.parametrize("typed", ["", "12a456", "1" * 17, "４０２９１７", "12 34"])
def test_what_is_no_pin_is_refused_in_words_and_changes_nothing(till: Till, typed: str) -> None:
    before = declined(till)

    with pytest.raises(BodyInvalid) as refused:
        type_in(till, typed)
    assert not typed or typed not in str(refused.value)
    assert till.agent.state() == before


def test_a_pin_for_another_screen_or_where_none_is_asked_for_is_refused(till: Till) -> None:
    with pytest.raises(BodyInvalid):
        type_in(till)
    declined(till)
    with pytest.raises(BodyInvalid):
        till.agent.type_pin(PIN, session="another")
    type_in(till)
    with pytest.raises(BodyInvalid):
        type_in(till)


@pytest.mark.parametrize("reason", ["not_recognised", "pin_locked", "insufficient_funds", "over_limit"])
def test_after_other_declines_no_pin_is_asked_for(till: Till, reason: str) -> None:
    assert not declined(till, reason).wants_pin


def told(action: ToldAction = COFFEE) -> Session:
    return Session().tell(action, now_ms=T)


def test_to_be_asked_for_a_pin_is_no_try_and_a_wrong_pin_is_one() -> None:
    session = told()
    for _ in range(2 * ATTEMPTS_MAX):
        session = session.declined(COFFEE, reason=NEEDS_SECOND_FACTOR, now_ms=T)
    assert session.may_type_pin
    for _ in range(ATTEMPTS_MAX):
        assert session.may_type_pin
        session = session.declined(COFFEE, reason=WRONG_PIN, now_ms=T)

    assert isinstance(session.screen, Declined)
    assert not session.may_type_pin
    assert not session.may_retry


def test_a_refund_asks_for_no_pin() -> None:
    session = told(COFFEE_BACK).declined(COFFEE_BACK, reason=NEEDS_SECOND_FACTOR, now_ms=T)

    assert not session.may_type_pin


@pytest.mark.parametrize("pin", ["0", "0000", PIN, "9" * 16])
def test_a_pin_is_read_as_it_was_padded(till: Till, pin: str) -> None:
    declined(till)
    type_in(till, pin)
    till.hold_out(ANN)

    assert pins_sent(till)[-1] == pin
    assert len(pad_pin(pin)) == len(NO_PIN)
