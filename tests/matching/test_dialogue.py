"""
Promises of what matchers say to each other in turn: coins that nobody chose, and every difference is seen.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.matching.dialogue import (
    COIN_BYTES,
    Agreement,
    Dialogue,
    Seat,
    Send,
    _commitment,
    bits_of,
    exchange,
    toss,
    words_of,
)
from handsel.matching.kernels import Bits
from handsel.matching.message import MATCHERS
from tests.matching.cheat import Change, Outcome, changing, messages, play
from tests.matching.dealt import Dealer


def test_three_stand_in_a_ring() -> None:
    assert [(seat.index, seat.before, seat.after) for seat in map(Seat, MATCHERS)] == [
        (0, "c", "b"),
        (1, "a", "c"),
        (2, "b", "a"),
    ]
    assert {frozenset({seat.me, *seat.others}) for seat in map(Seat, MATCHERS)} == {frozenset(MATCHERS)}


def test_all_hear_what_all_said() -> None:
    said = {name: name.encode() * 3 for name in MATCHERS}

    outcome = play({name: exchange(Seat(name), said[name]) for name in MATCHERS})

    assert outcome.answers == dict.fromkeys(MATCHERS, said)


def _tosses(dealer: Dealer) -> dict[str, Dialogue[bytes]]:
    return {name: toss(Seat(name), random_bytes=dealer.octets) for name in MATCHERS}


def _tossed(dealer: Dealer, changes: dict[str, Change]) -> Outcome[bytes]:
    dialogues = _tosses(dealer)
    return play({name: changing(one, changes[name]) if name in changes else one for name, one in dialogues.items()})


def test_coin_is_the_same_to_all_and_another_each_time() -> None:
    dealer = Dealer(1)

    coins = [_tossed(dealer, {}).answers for _ in range(10)]

    assert all(len(set(coin.values())) == 1 for coin in coins)
    assert len({coin["a"] for coin in coins}) == 10


@pytest.mark.parametrize("name", MATCHERS)
def test_coin_changes_with_what_each_of_the_three_drew(name: str) -> None:
    drawn = dict.fromkeys(MATCHERS, bytes(COIN_BYTES))
    tossed = set()
    for mine in (bytes(COIN_BYTES), bytes([1]) + bytes(COIN_BYTES - 1)):
        ones = {**drawn, name: mine}
        dialogues = {
            other: toss(Seat(other), random_bytes=partial(lambda value, _: value, one)) for other, one in ones.items()
        }
        tossed |= set(play(dialogues).answers.values())

    assert len(tossed) == 2


def test_nobody_shows_its_coin_before_it_has_all_commitments() -> None:
    dialogue = toss(Seat("a"), random_bytes=bytes)
    commitment = next(dialogue)
    assert isinstance(commitment, Send)

    said = [dialogue.send(b"") for _ in range(2)]

    assert commitment.payload != bytes(COIN_BYTES)
    assert [isinstance(step, Send) and step.payload == commitment.payload for step in said] == [True, False]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("name", MATCHERS)
def test_coin_that_is_not_the_one_committed_to_is_refused(name: str, number: int) -> None:
    dealer = Dealer(2)
    to = messages(_tosses(dealer))[name][number].to

    outcome = _tossed(dealer, {name: lambda count, m: dealer.octets(32) if count == number else m.payload})

    # Who is told another commitment than the third shows it in what it says it saw, and all three notice.
    seen = set(MATCHERS) if number < 2 else {to}
    assert {(one, PeerCheated) for one in seen} == {(one, type(exc)) for one, exc in outcome.raised.items()}


@pytest.mark.parametrize("name", MATCHERS)
def test_two_coins_each_with_its_commitment_are_refused_by_both_who_were_told(name: str) -> None:
    """
    Two matchers that went on with two coins would open what the one hides and the other does not.
    """
    dealer = Dealer(2)
    coin = dealer.octets(COIN_BYTES)

    def other(count: int, message: Send) -> bytes:
        if count == 0:
            return _commitment(name, coin)
        return coin + bytes(message.payload)[COIN_BYTES:] if count == 2 else bytes(message.payload)

    outcome = _tossed(dealer, {name: other})

    assert {Seat(name).after, Seat(name).before} <= {one for one, exc in outcome.raised.items()}
    assert {type(exc) for exc in outcome.raised.values()} == {PeerCheated}


def test_commitment_of_another_is_not_one_s_own() -> None:
    """
    Who copies another's commitment, and then its coin, is refused: the two coins would cancel nothing, but be known.
    """
    dealer = Dealer(3)
    dialogues = {name: toss(Seat(name), random_bytes=dealer.octets) for name in "ab"}
    said = {name: next(dialogue) for name, dialogue in dialogues.items()}
    copied = said["b"]
    assert isinstance(copied, Send)

    for payload in (b"", b"", copied.payload, copied.payload, b"", b""):
        step = dialogues["a"].send(payload)
    dialogues["b"].send(b"")
    shown = dialogues["b"].send(b"")
    for payload in (copied.payload, copied.payload):
        shown = dialogues["b"].send(payload)
    assert isinstance(shown, Send)
    assert not isinstance(step, Send)
    dialogues["a"].send(shown.payload)

    with pytest.raises(PeerCheated):
        dialogues["a"].send(shown.payload)


def _settle(name: str, told: list[Bits], held: list[Bits], dealer: Dealer, *, is_zero: bool = False) -> Dialogue[None]:
    agreement = Agreement()
    for mine, theirs in zip(told, held, strict=True):
        (agreement.note_zero if is_zero else agreement.note_opened)(told=mine, held=theirs)
    yield from agreement.settle(Seat(name), random_bytes=dealer.octets)


def _settled(told: dict[str, list[Bits]], dealer: Dealer) -> Outcome[None]:
    held = {name: told[Seat(name).before] for name in MATCHERS}
    return play({name: _settle(name, told[name], held[name], dealer) for name in MATCHERS})


def _arrays(dealer: Dealer) -> list[Bits]:
    return [dealer.bits((size,)) for size in (0, 1, 7, 100)]


def test_what_agrees_is_settled() -> None:
    dealer = Dealer(4)

    assert not _settled({name: _arrays(dealer) for name in MATCHERS}, dealer).raised
    assert not _settled({name: [] for name in MATCHERS}, dealer).raised


@pytest.mark.parametrize("is_zero", [False, True])
@pytest.mark.parametrize("name", MATCHERS)
def test_one_bit_that_differs_is_seen_by_who_holds_it(name: str, is_zero: bool) -> None:
    dealer = Dealer(5)
    for array, word, bit in ((1, 0, 0), (2, 6, 63), (3, 50, 17), (3, 99, 63)):
        told = {one: _arrays(dealer) for one in MATCHERS}
        held = {one: [part.copy() for part in told[Seat(one).before]] for one in MATCHERS}
        held[name][array][word] ^= np.uint64(1 << bit)

        outcome = play({one: _settle(one, told[one], held[one], dealer, is_zero=is_zero) for one in MATCHERS})

        assert outcome.raised.keys() == {name}
        assert type(outcome.raised[name]) is PeerCheated


def test_who_was_told_something_false_tells_no_code_of_what_it_computed_with_it() -> None:
    """
    That code would be of what hid the truth: with it who cheated could try what it was.
    """
    dealer = Dealer(7)
    agreements = {name: Agreement() for name in MATCHERS}
    opened, zero = {name: dealer.bits((3,)) for name in MATCHERS}, dealer.bits((3,))
    for name in MATCHERS:
        held = opened[Seat(name).before] ^ np.uint64(name == "b")
        agreements[name].note_opened(told=opened[name], held=held)
        agreements[name].note_zero(told=zero, held=zero)
    said: list[int] = []

    def noted(number: int, message: Send) -> bytes:
        said.append(number)
        return bytes(message.payload)

    settling = {name: agreements[name].settle(Seat(name), random_bytes=dealer.octets) for name in MATCHERS}
    outcome = play({**settling, "b": changing(settling["b"], noted)})

    assert outcome.raised.keys() == {"b"}
    assert said == [0, 1, 2, 3, 4]  # A coin, and the one code.


def test_arrays_that_come_in_another_order_or_cut_elsewhere_differ() -> None:
    dealer = Dealer(6)
    one, other = dealer.bits((8,)), dealer.bits((8,))
    joined = np.concatenate([one, other])
    for told, held in (
        ([one, other], [other, one]),
        ([joined[:7], joined[7:]], [one, other]),
        ([joined, one[:0]], [one, other]),
        ([one, one[:0]], [one[:0], one]),
    ):
        said = {name: (told if name == "a" else [one, other]) for name in MATCHERS}
        kept = {"a": [one, other], "b": held, "c": [one, other]}

        outcome = play({name: _settle(name, said[name], kept[name], dealer) for name in MATCHERS})

        assert outcome.raised.keys() == {"b"}


def test_message_is_read_only_at_its_length() -> None:
    assert words_of(b"\1\0\2\0", 2).tolist() == [1, 2]
    assert bits_of(bytes([1, *bytes(7)]), 1).tolist() == [1]
    for wrong in (b"", b"\0", bytes(15), bytes(17)):
        with pytest.raises(EnvelopeInvalid):
            words_of(wrong, 8)
        with pytest.raises(EnvelopeInvalid):
            bits_of(wrong, 2)
