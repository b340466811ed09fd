"""
Promises of Shamir's shares: they are lines, they open to the secret, and a false share is seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from handsel.errors import EnvelopeInvalid, PalmInvalid, PeerCheated
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.message import MATCHERS
from handsel.matching.ring import MODULUS, POINTS, Element, Words, invert, multiply, subtract
from handsel.matching.shamir import draw_shares, from_replicated, open_shares
from tests.matching.cheat import changing, play
from tests.matching.dealt import Dealer

SHAPE = (3, 10)


def _opened(shares: Mapping[str, Words]) -> Words:
    """
    Return what the three open, which is the same to all.
    """
    outcome = play({name: open_shares(Seat(name), share) for name, share in shares.items()})
    one, other, third = (outcome.answers[name] for name in MATCHERS)
    assert np.array_equal(one, other)
    assert np.array_equal(one, third)
    return one


def _element(words: Words) -> Element:
    return int(words[0]), int(words[1])


def _line_through(a: Element, b: Element) -> tuple[Element, Element]:
    """
    Return value at zero and slope of the line through the shares of matcher a and b.
    """
    slope = multiply(subtract(b, a), invert(subtract(POINTS[1], POINTS[0])))
    return subtract(a, multiply(slope, POINTS[0])), slope


def _at(line: tuple[Element, Element], point: Element) -> Element:
    step = multiply(line[1], point)
    return (line[0][0] + step[0]) % MODULUS, (line[0][1] + step[1]) % MODULUS


def _drawn(dealer: Dealer, *, hides_first_word: bool) -> dict[str, Words]:
    masks = dealer.masks()
    return {name: draw_shares(Seat(name), masks[name], SHAPE, hides_first_word=hides_first_word) for name in MATCHERS}


@pytest.mark.parametrize("hides_first_word", [True, False])
def test_drawn_shares_lie_on_lines(hides_first_word: bool) -> None:
    shares = _drawn(Dealer(1), hides_first_word=hides_first_word)

    a, b, c = (shares[name].reshape(-1, 2) for name in MATCHERS)
    for one, other, third in zip(a, b, c, strict=True):
        assert _element(third) == _at(_line_through(_element(one), _element(other)), POINTS[2])


def test_drawn_shares_open_to_what_is_random_or_has_no_first_word() -> None:
    hiding, showing = (_opened(_drawn(Dealer(2), hides_first_word=hides)) for hides in (True, False))

    assert hiding[..., 0::2].all()
    assert len(np.unique(hiding)) > 25  # Of 30 words, all but a few are different.
    assert not showing[..., 0::2].any()
    assert showing[..., 1::2].all()


def test_shares_are_drawn_anew_each_time() -> None:
    masks = Dealer(3).masks()["a"]

    first, second = (draw_shares(Seat("a"), masks, SHAPE) for _ in range(2))

    assert np.count_nonzero(first == second) < 3


def test_what_is_drawn_changes_with_what_any_two_share() -> None:
    """
    Each matcher lacks what the two others share: so none knows what was drawn.
    """
    keys, drawn = Dealer(4), []
    shared = {pair: keys.octets(32) for pair in ("ab", "bc", "ca")}
    for changed in ("", *shared):
        key = shared | ({changed: keys.octets(32)} if changed else {})
        ring = {"a": ("ab", "ca"), "b": ("bc", "ab"), "c": ("ca", "bc")}
        masks = {name: Masks(MaskStream(key[after]), MaskStream(key[before])) for name, (after, before) in ring.items()}
        drawn.append(_opened({name: draw_shares(Seat(name), masks[name], SHAPE) for name in MATCHERS}))

    assert len({secret.tobytes() for secret in drawn}) == 4


@pytest.mark.parametrize("shape", [(1,), (40,), (3, 5), (0,)])
def test_summands_that_two_hold_each_become_shares_of_their_sum(shape: tuple[int, ...]) -> None:
    dealer = Dealer(5)
    parts = [dealer.words(shape) for _ in MATCHERS]

    opened = _opened(
        {name: from_replicated(Seat(name), parts[index], parts[(index + 1) % 3]) for index, name in enumerate(MATCHERS)}
    )

    assert np.array_equal(parts[0] + parts[1] + parts[2], opened[..., 0])
    assert not opened[..., 1].any()


def test_shares_open_to_the_secret() -> None:
    dealer = Dealer(6)
    secret = dealer.words(SHAPE)

    assert np.array_equal(secret, _opened(dict(zip(MATCHERS, dealer.line(secret), strict=True))))


@pytest.mark.parametrize("liar", MATCHERS)
@pytest.mark.parametrize("lie", [1, 1 << 15, 12345])
def test_false_share_is_seen_by_all_whatever_the_lie(liar: str, lie: int) -> None:
    dealer = Dealer(7)
    for place in np.ndindex(SHAPE):
        shares = dict(zip(MATCHERS, dealer.line(dealer.words(SHAPE)), strict=True))
        shares[liar][place] += np.array(lie, np.uint16)

        outcome = play({name: open_shares(Seat(name), share) for name, share in shares.items()})

        assert dict.fromkeys(MATCHERS, PeerCheated) == {name: type(exc) for name, exc in outcome.raised.items()}


def test_share_that_is_false_to_one_is_seen_by_that_one() -> None:
    dealer = Dealer(8)
    shares = dict(zip(MATCHERS, dealer.line(dealer.words(SHAPE)), strict=True))
    dialogues: dict[str, Dialogue[Words]] = {name: open_shares(Seat(name), share) for name, share in shares.items()}
    noise = dealer.octets(60)

    outcome = play({**dialogues, "b": changing(dialogues["b"], lambda n, m: noise if n else m.payload)})

    assert {"a"} == outcome.raised.keys()
    assert {"b", "c"} == outcome.answers.keys()


def test_what_is_raised_is_what_was_asked_for() -> None:
    dealer, failure = Dealer(9), PalmInvalid("not a palm")
    shares = dict(zip(MATCHERS, (dealer.words(SHAPE) for _ in MATCHERS), strict=True))

    outcome = play({name: open_shares(Seat(name), share, failure=failure) for name, share in shares.items()})

    assert dict.fromkeys(MATCHERS, failure) == outcome.raised


def test_shares_of_another_number_are_refused() -> None:
    dealer = Dealer(10)
    shares = dict(zip(MATCHERS, dealer.line(dealer.words(SHAPE)), strict=True)) | {"c": dealer.words((3, 12))}

    outcome = play({name: open_shares(Seat(name), share) for name, share in shares.items()})

    assert {EnvelopeInvalid} == {type(exc) for exc in outcome.raised.values()}
