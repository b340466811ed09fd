"""
Paying with a card at a till: it is shown, then the palm; and when the moment is over, the till has neither.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import msgspec
import pytest

from handsel.envelope import open_envelope
from handsel.errors import BodyInvalid, NotFound
from handsel.keys import verify_with
from handsel.order import (
    CHARGE,
    HELD_PROOF,
    REFUND,
    CardState,
    ChargeOrder,
    HeldProof,
    RefundOrder,
    Way,
    held_message,
)
from handsel.till.agent_state import AgentState
from handsel.till.card import Card, read_card
from handsel.till.hint import TillHint
from handsel.till.session import CARD_LOCKED, CARD_SHOWN_MS, CARD_UNKNOWN, DECLINE_PAUSE_MS, NOT_RECOGNISED
from handsel.vision.frame import decode_frame
from handsel.vision.qr_code import as_png, draw_qr_code, read_qr_code
from tests.till.conftest import Till
from tests.till.fakes import AMOUNT_MINOR, COFFEE, COFFEE_BACK, Keyring, lost

ADA, BEN = 1, 2


def enrol(till: Till, person: int = ADA) -> tuple[AgentState, Card]:
    """
    Have a card made for somebody, photograph it, and go on.
    """
    till.agent.begin_enrolment(till.acquirer.right_code, Way.HELD_KEY)
    state = till.hold_out(person)
    text = read_qr_code(decode_frame(till.agent.card_picture(session=state.session)))
    card = read_card(text or "")
    assert card is not None
    till.cancel()
    return state, card


def show_code(till: Till, text: str) -> AgentState:
    return till.send(as_png(draw_qr_code(text)))


def tell(till: Till, action: object = COFFEE) -> AgentState:
    assert action in (COFFEE, COFFEE_BACK)
    till.acquirer.told = COFFEE if action is COFFEE else COFFEE_BACK
    return till.agent.poll()


def remains(till: Till, card: Card) -> list[str]:
    """
    Say where the agent, or anything that it holds, still has something of a card.
    """
    found: list[str] = []
    seen: set[int] = set()

    def look(value: object, path: str) -> None:
        if id(value) in seen or len(path) > 200:
            return
        seen.add(id(value))
        if isinstance(value, Card) or value in (card.id, card.key, card.text):
            found.append(path)
        if isinstance(value, dict):
            for key, each in value.items():
                look(each, f"{path}[{key!r}]")
        elif isinstance(value, tuple | list | set | frozenset):
            for each in value:
                look(each, f"{path}[]")
        elif is_dataclass(value):
            for each in fields(value):
                look(getattr(value, each.name), f"{path}.{each.name}")
        elif isinstance(value, msgspec.Struct):
            for name in value.__struct_fields__:
                look(getattr(value, name), f"{path}.{name}")

    for name, value in vars(till.agent).items():
        if name not in ("_acquirer", "_reader", "_log", "_clock", "_random_bytes", "_maker"):
            look(value, name)
    return found


def test_a_card_is_made_shown_once_and_forgotten(till: Till) -> None:
    till.agent.begin_enrolment(till.acquirer.right_code, Way.HELD_KEY)
    state = till.hold_out(ADA)

    assert (state.screen, state.has_new_card) == ("enrolled", True)
    assert "shown only now" in state.message
    picture_of_card = till.agent.card_picture(session=state.session)
    card = read_card(read_qr_code(decode_frame(picture_of_card)) or "")
    assert card is not None and card.id in till.acquirer.cards
    assert till.acquirer.cards[card.id].public_key == card.public_key
    with pytest.raises(NotFound):
        till.agent.card_picture(session="another")
    till.cancel()

    with pytest.raises(NotFound):
        till.agent.card_picture(session=state.session)
    assert till.agent.state().has_new_card is False
    assert remains(till, card) == []


def test_a_new_card_is_shown_for_a_while_only(till: Till) -> None:
    till.agent.begin_enrolment(till.acquirer.right_code, Way.HELD_KEY)
    state = till.hold_out(ADA)
    till.clock.pass_ms(CARD_SHOWN_MS - 1)
    assert till.agent.card_picture(session=state.session)
    till.clock.pass_ms(1)

    with pytest.raises(NotFound):
        till.agent.card_picture(session=state.session)


def test_no_card_is_shown_before_the_issuers_yes(till: Till) -> None:
    """
    The answer is lost, and the same request is sent again; the card that is shown then is the one that was enrolled.
    """
    till.acquirer.breaks["enrolment.answered"] = [lost()]
    till.agent.begin_enrolment(till.acquirer.right_code, Way.HELD_KEY)
    state = till.hold_out(ADA)
    assert (state.screen, state.has_new_card) == ("trouble", False)
    with pytest.raises(NotFound):
        till.agent.card_picture(session=state.session)

    state = till.poll_until("enrolled")

    first, second = till.acquirer.enrolment_requests
    assert first == second
    card = read_card(read_qr_code(decode_frame(till.agent.card_picture(session=state.session))) or "")
    assert card is not None and list(till.acquirer.cards) == [card.id]


def test_a_wrong_code_makes_no_card(till: Till) -> None:
    till.agent.begin_enrolment("00000000", Way.HELD_KEY)

    state = till.hold_out(ADA)

    assert (state.screen, state.reason, state.has_new_card) == ("declined", "wrong_code", False)
    assert till.acquirer.cards == {}


def test_a_card_and_its_palm_pay(till: Till, keyring: Keyring) -> None:
    _, card = enrol(till)
    tell(till)

    state = show_code(till, card.text)
    assert (state.screen, state.hint, state.has_held_key) == (
        "reading",
        "Your card was read. Now hold your open hand in front of the camera.",
        True,
    )
    state = till.hold_out(ADA)

    assert state.screen == "paid"
    (request,) = till.acquirer.charge_requests
    assert request.queries is None and request.proof is not None
    order = open_envelope(request.order, ChargeOrder, keys=keyring.issuer, purpose=CHARGE)
    proof = open_envelope(request.proof, HeldProof, keys=keyring.issuer, purpose=HELD_PROOF)
    verify_with(card.public_key, held_message(order), signature=proof.signature)
    assert (proof.card_id, order.amount_minor) == (card.id, AMOUNT_MINOR)
    assert remains(till, card) == []


def test_a_card_and_its_palm_are_paid_back_to(till: Till, keyring: Keyring) -> None:
    _, card = enrol(till)
    tell(till, COFFEE_BACK)
    show_code(till, card.text)

    assert till.hold_out(ADA).screen == "refunded"
    (request,) = till.acquirer.refund_requests
    assert request.queries is None and request.proof is not None
    order = open_envelope(request.order, RefundOrder, keys=keyring.issuer, purpose=REFUND)
    proof = open_envelope(request.proof, HeldProof, keys=keyring.issuer, purpose=HELD_PROOF)
    verify_with(card.public_key, held_message(order), signature=proof.signature)


def test_the_card_alone_is_useless(till: Till) -> None:
    """
    A stranger with a card gets three tries and no word more than with an open hand; no request is ever sent.
    """
    _, card = enrol(till)
    tell(till)
    show_code(till, card.text)
    for _ in range(2):
        state = till.hold_out(BEN)
        assert (state.screen, state.reason, state.may_retry) == ("declined", NOT_RECOGNISED, True)
        till.clock.pass_ms(DECLINE_PAUSE_MS)
        assert till.agent.poll().has_held_key is True  # The card is not asked for again.

    state = till.hold_out(BEN)

    assert (state.screen, state.may_retry, state.has_held_key) == ("declined", False, False)
    assert till.acquirer.charge_requests == []
    assert len(till.acquirer.card_requests) == 1
    assert remains(till, card) == []


def test_a_palm_that_was_seen_before_the_card_does_not_count(till: Till) -> None:
    _, card = enrol(till)
    tell(till)
    till.reader.sights = []
    show_code(till, card.text)

    assert till.agent.state().good_frames == 0


@pytest.mark.parametrize(
    ("state", "reason"), [(CardState.LOCKED, CARD_LOCKED), (CardState.UNKNOWN, CARD_UNKNOWN)], ids=str
)
def test_a_card_that_the_issuer_refuses_pays_nothing(till: Till, state: CardState, reason: str) -> None:
    _, card = enrol(till)
    till.acquirer.card_state = state
    till.acquirer.cards.clear()
    tell(till)

    shown = show_code(till, card.text)

    assert (shown.screen, shown.reason, shown.has_held_key) == ("declined", reason, False)
    assert remains(till, card) == []


def test_a_till_that_asks_too_often_is_told_so(till: Till) -> None:
    _, card = enrol(till)
    tell(till)
    till.acquirer.declines = ["asked_too_often"]

    assert show_code(till, card.text).reason == "asked_too_often"


def test_a_template_of_another_card_is_refused(till: Till) -> None:
    """
    An issuer that hands out another's template, or a changed one, gets nobody paid.
    """
    _, card = enrol(till)
    _, other = enrol(till, BEN)
    swapped = msgspec.structs.replace(
        till.acquirer.cards[card.id], sealed_template=till.acquirer.cards[other.id].sealed_template
    )
    till.acquirer.cards[card.id] = swapped
    tell(till)
    show_code(till, card.text)

    state = till.hold_out(BEN)

    assert (state.screen, state.reason) == ("declined", CARD_UNKNOWN)
    assert till.acquirer.charge_requests == []


@pytest.mark.parametrize("spoil", ["https://example.org/menu", "HANDSEL1:abc", "HANDSEL1:" + "A" * 63 + "!"])
def test_another_code_is_hinted_at_and_asks_nobody(till: Till, spoil: str) -> None:
    tell(till)

    state = show_code(till, spoil)

    assert (state.screen, state.reason) == ("reading", TillHint.NOT_A_CARD)
    assert till.acquirer.card_requests == []
    assert till.hold_out(ADA).screen == "paid"


def test_where_the_acquirer_is_away_the_card_is_shown_again(till: Till) -> None:
    _, card = enrol(till)
    tell(till)
    till.acquirer.breaks["card.sent"] = [lost()]

    state = show_code(till, card.text)

    assert (state.screen, state.code) == ("trouble", "party_unavailable")
    assert remains(till, card) == []
    till.poll_until("showing")
    assert show_code(till, card.text).has_held_key is True


def test_who_cancels_takes_the_card_along(till: Till) -> None:
    _, card = enrol(till)
    tell(till)
    show_code(till, card.text)
    assert remains(till, card) != []

    till.cancel()

    assert remains(till, card) == []


def test_the_next_payment_does_not_find_the_card_of_the_last(till: Till) -> None:
    _, card = enrol(till)
    tell(till)
    show_code(till, card.text)
    tell(till, COFFEE_BACK)

    assert till.agent.state().has_held_key is False
    assert remains(till, card) == []


def test_a_venue_may_take_palms_with_a_card_only(till: Till) -> None:
    _, card = enrol(till)
    till.ways = (Way.HELD_KEY,)
    till.start()
    tell(till)
    till.reader.sights = []
    with pytest.raises(AssertionError):
        till.hold_out(ADA)
    assert till.agent.state().reason == TillHint.SHOW_CARD

    show_code(till, card.text)

    assert till.hold_out(ADA).screen == "paid"
    with pytest.raises(BodyInvalid):
        till.agent.begin_enrolment("12345678", Way.OPEN_HAND)


def test_a_venue_may_take_no_cards(till: Till) -> None:
    _, card = enrol(till)
    till.ways = (Way.OPEN_HAND,)
    till.start()
    tell(till)

    assert show_code(till, card.text).reason == "no_hand"
    with pytest.raises(BodyInvalid):
        till.agent.begin_enrolment("12345678", Way.HELD_KEY)


def test_nothing_of_a_card_is_on_disk_or_in_the_log(till: Till) -> None:
    """
    Search the till's directory at the moment in which the charge is written down, and its log.
    """
    _, card = enrol(till)
    written: list[bytes] = []
    till.acquirer.on_charge = lambda: written.extend(path.read_bytes() for path in till.directory.iterdir())
    tell(till)
    show_code(till, card.text)
    assert till.hold_out(ADA).screen == "paid"

    kept = b"".join(written)
    said = till.log.getvalue()
    assert COFFEE.id.encode() in kept
    for secret in (card.id, card.key, card.text.encode(), till.acquirer.cards[card.id].sealed_template):
        assert secret not in kept
        assert secret.hex() not in said and secret.decode("latin-1") not in said


def test_the_state_tells_nothing_of_a_card(till: Till) -> None:
    state, card = enrol(till)
    tell(till)
    reading = show_code(till, card.text)

    for each in (state, reading):
        text = msgspec.json.encode(each)
        assert card.text.encode() not in text and card.id.hex().encode() not in text


def test_a_card_does_not_switch_an_enrolment(till: Till) -> None:
    _, card = enrol(till)
    till.agent.begin_enrolment(till.acquirer.right_code, Way.OPEN_HAND)

    assert show_code(till, card.text).reason == "no_hand"
    assert till.hold_out(ADA).screen == "enrolled"
    assert len(till.acquirer.card_requests) == 0
