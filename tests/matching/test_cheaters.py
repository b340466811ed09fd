"""
Promises of the proof: whatever one matcher does, no wrong answer is given, and what is opened tells it nothing.

A matcher cheats here in two ways. It changes what it sends and goes on as if it had not; or it lies to itself too, in
what it masks, so that nothing contradicts itself but the proof.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from handsel.errors import EnvelopeInvalid, PalmInvalid, PeerCheated
from handsel.matching.convert import Lanes
from handsel.matching.dialogue import COIN_BYTES
from handsel.matching.honest import nonsense_size
from handsel.matching.message import MATCHERS
from handsel.matching.scale import entry_max
from tests.matching.cheat import Change, Outcome, Said, changing, lie, messages, play
from tests.matching.dealt import Scene, Vectors, scene, xor

RUNS = range(20)
STRANGER = 40  # A row that no view is near to.
LIFT = 1800  # Takes the product of such a row over the threshold, and not over 12 bits.
LAST_AND = 15  # The one that joins two views, or that of all triples for it; before it come fifteen of carries.
CAUGHT = (PeerCheated, PalmInvalid, EnvelopeInvalid)
Make = Callable[[Said], bytes]


def _one_bit(dealt: Scene, message: Said) -> bytes:
    at, octets = int(dealt.dealer.generator.integers(8 * len(message.payload))), bytearray(message.payload)
    octets[at // 8] ^= 1 << at % 8
    return bytes(octets)


def _noise(dealt: Scene, message: Said) -> bytes:
    return dealt.dealer.octets(len(message.payload))


def _earlier(before: Said, _: Said) -> bytes:
    return before.payload


def _made(makers: Mapping[int, Make]) -> Change:
    return lambda number, message: makers[number](message) if number in makers else message.payload


def _told(payloads: Mapping[int, bytes]) -> Change:
    return lambda number, message: payloads.get(number, message.payload)


def _cheat(dealt: Scene, cheater: str, change: Change) -> Outcome[bytes]:
    dialogues = dealt.dialogues()
    return play({**dialogues, cheater: changing(dialogues[cheater], change)}, last=cheater)


def _lie(
    dealt: Scene,
    cheater: str,
    *,
    sums: Mapping[int, int] | None = None,
    ands: Mapping[tuple[int, int], int] | None = None,
) -> Outcome[bytes]:
    masks = lie(dealt.dealer.masks(), cheater, sums=sums, ands=ands)
    return play(dealt.dialogues(masks=masks), last=cheater)


def _honest(cheater: str) -> set[str]:
    return set(MATCHERS) - {cheater}


def _require_caught(outcome: Outcome[bytes], cheater: str, *kinds: type) -> None:
    raised = {type(exc) for name, exc in outcome.raised.items() if name != cheater}

    assert raised
    assert raised <= set(kinds or CAUGHT)


def _wide(dealt: Scene) -> int:
    return nonsense_size(*dealt.views.shape)


@pytest.mark.parametrize("cheater", MATCHERS)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_message_that_one_matcher_changes_gives_a_wrong_answer(cheater: str, seed: int) -> None:
    """
    Every message of each matcher: one bit of it flipped, all of it replaced, that of an earlier run in its place.

    The cheater's own two halves of a bit contradict each other then. It may see so first and give up itself; then the
    others wait, and nobody answers.
    """
    dealt = scene(seed, is_proved=True, views=3)
    sent, ended = messages(dealt.dialogues())[cheater], Counter[str]()
    for number, before in enumerate(sent):
        for make in (partial(_one_bit, dealt), partial(_noise, dealt), partial(_earlier, before)):
            outcome = _cheat(dealt, cheater, _made({number: make}))
            if outcome.raised.keys() & _honest(cheater):
                _require_caught(outcome, cheater)
                ended["caught"] += 1
            elif len(outcome.answers) < len(MATCHERS):
                assert outcome.raised.keys() == {cheater}
                assert not outcome.answers
                ended["gave up"] += 1
            else:
                assert dealt.expected == xor(outcome.answers.values())
                ended["harmless"] += 1

    assert ended["harmless"] <= 2  # A bit of a sum that is padding, or does not count.
    assert ended["gave up"] < len(sent) / 4


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_with_another_share_of_one_row_is_caught(cheater: str) -> None:
    for seed in RUNS:
        dealt = scene(seed, is_proved=True)
        first, *others = dealt.rows[cheater].segments
        templates = first.templates.copy()
        templates[STRANGER] = dealt.dealer.words(templates[STRANGER].shape)
        segments = (replace(first, templates=templates), *others)
        rows = {**dealt.rows, cheater: replace(dealt.rows[cheater], segments=segments)}

        _require_caught(play(dealt.dialogues(rows=rows), last=cheater), cheater, PeerCheated)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_adds_to_a_product_so_that_its_row_matches_is_caught(cheater: str) -> None:
    for seed in RUNS:
        unproved, proved = scene(seed, is_proved=False), scene(seed, is_proved=True)
        sums = {_wide(proved) + STRANGER: LIFT}

        unseen, seen = _lie(unproved, cheater, sums=sums), _lie(proved, cheater, sums=sums)

        assert xor((unproved.expected, unproved.aliases[STRANGER])) == xor(unseen.answers.values())
        _require_caught(seen, cheater, PeerCheated)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_sets_the_match_bit_of_a_row_is_caught(cheater: str) -> None:
    for seed in RUNS:
        unproved, proved = scene(seed, is_proved=False), scene(seed, is_proved=True)
        bit, place = 1 << STRANGER % 64, STRANGER // 64
        of_carries = sum(Lanes(_wide(proved), 2 * 128, proved.terms.bits).sizes[2:])

        unseen = _lie(unproved, cheater, ands={(LAST_AND, place): bit})
        seen = _lie(proved, cheater, ands={(LAST_AND, of_carries + place): bit})

        assert xor((unproved.expected, unproved.aliases[STRANGER])) == xor(unseen.answers.values())
        _require_caught(seen, cheater, PeerCheated)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_flips_a_bit_of_any_and_is_caught(cheater: str) -> None:
    for number in range(LAST_AND + 1):
        for seed in range(3):
            dealt = scene(seed, is_proved=True)
            place, bit = (int(dealt.dealer.generator.integers(size)) for size in (2, 64))

            _require_caught(_lie(dealt, cheater, ands={(number, place): 1 << bit}), cheater)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_carry_that_is_flipped_is_not_noticed_where_nothing_is_proved(cheater: str) -> None:
    for seed in RUNS:
        dealt = scene(seed, is_proved=False)
        carry_of_sign, place = dealt.terms.bits - 2, (_wide(dealt) + STRANGER) // 64

        outcome = _lie(dealt, cheater, ands={(carry_of_sign, place): 1 << (_wide(dealt) + STRANGER) % 64})

        assert not outcome.raised
        assert xor((dealt.expected, dealt.aliases[STRANGER])) == xor(outcome.answers.values())


@pytest.mark.parametrize("cheater", MATCHERS)
def test_bits_of_a_sum_that_do_not_count_change_no_answer(cheater: str) -> None:
    ended = Counter[str]()
    for seed in RUNS:
        dealt = scene(seed, is_proved=True)
        for bit in range(dealt.terms.bits, 16):
            outcome = _lie(dealt, cheater, sums={_wide(dealt) + STRANGER: 1 << bit})
            if outcome.raised:
                _require_caught(outcome, cheater, PeerCheated)
                ended["caught"] += 1
            else:
                assert dealt.expected == xor(outcome.answers.values())
                ended["harmless"] += 1

    assert ended["harmless"] <= 5  # The top bit is missed by a chance of about (1/2)^9, the next ones by far less.


@pytest.mark.parametrize("is_proved", [False, True])
@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_was_asked_something_else_gets_nothing(cheater: str, is_proved: bool) -> None:
    for seed in RUNS:
        dealt = scene(seed, is_proved=is_proved)
        asked, other = dealt.dealer.asked(dealt.views), dealt.dealer.asked(dealt.views)

        outcome = play(dealt.dialogues(asked={**asked, cheater: other[cheater]}), last=cheater)

        assert dict.fromkeys(MATCHERS, PalmInvalid) == {name: type(exc) for name, exc in outcome.raised.items()}


def _commitment(name: str, coin: bytes) -> bytes:
    return hashlib.sha256(b"handsel/v1/coin-commitment/" + name.encode() + b"\0" + coin).digest()


def _tosses(dealt: Scene, name: str) -> list[int]:
    """
    Return the numbers of a matcher's commitments: sent to one, to the other; then the coin to one, and to the other.
    """
    sent = [message.payload for message in messages(dealt.dialogues())[name]]
    found = [
        at for at in range(len(sent) - 3) if sent[at] == sent[at + 1] == _commitment(name, sent[at + 2][:COIN_BYTES])
    ]
    assert len(found) >= 5
    return found


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_commits_itself_to_two_coins_is_caught(cheater: str) -> None:
    for seed in range(7):
        dealt = scene(seed, is_proved=True)
        for toss in _tosses(dealt, cheater):
            for told in (0, 1):
                coin = dealt.dealer.octets(COIN_BYTES)
                seen = messages(dealt.dialogues())[cheater][toss + 2].payload[COIN_BYTES:]
                other = {toss + told: _commitment(cheater, coin), toss + told + 2: coin + seen}

                outcome = _cheat(dealt, cheater, _told(other))

                assert {PeerCheated} == {type(outcome.raised[name]) for name in _honest(cheater)}


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_shows_another_coin_than_its_own_is_caught(cheater: str) -> None:
    for seed in range(7):
        dealt = scene(seed, is_proved=True)
        for toss in _tosses(dealt, cheater):
            coin = dealt.dealer.octets(COIN_BYTES)

            outcome = _cheat(dealt, cheater, _told({toss + 2: coin, toss + 3: coin}))

            assert {PeerCheated} == {type(outcome.raised[name]) for name in _honest(cheater)}


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_opens_one_share_to_one_and_another_to_the_other_is_caught(cheater: str) -> None:
    for seed in range(7):
        dealt = scene(seed, is_proved=True)
        sent = messages(dealt.dialogues())[cheater]
        twice = [at for at, (one, other) in enumerate(pairwise(sent)) if one.payload == other.payload]
        opened = [at for at in twice if len(sent[at].payload) > 2 * COIN_BYTES]
        assert len(opened) == 4  # Of the query, of the comparisons, of what hides the query, of the differences.

        for number in (*opened, *(at + 1 for at in opened)):
            for make in (_one_bit, _noise):
                outcome = _cheat(dealt, cheater, _made({number: partial(make, dealt)}))

                _require_caught(outcome, cheater, PeerCheated, PalmInvalid)
                assert sent[number].to in outcome.raised


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_adds_up_something_else_and_tells_both_the_same_is_caught(cheater: str) -> None:
    """
    Nobody contradicts it then: it is the same lie as that about a product.
    """
    for seed in RUNS:
        dealt = scene(seed, is_proved=True)
        sent = messages(dealt.dialogues())[cheater]
        lanes = _wide(dealt) + 2 * 128
        sums = [at for at, (one, other) in enumerate(pairwise(sent)) if one.payload == other.payload]
        (first,) = (at for at in sums if len(sent[at].payload) in (lanes // 3 * 2, (lanes // 3 + 1) * 2))
        place = int(dealt.dealer.generator.integers(len(sent[first].payload) // 2 - 64))

        def lifted(message: Said, place: int = place) -> bytes:
            words = np.frombuffer(message.payload, np.uint16).copy()
            words[place : place + 1] += np.uint16(LIFT)
            return words.tobytes()

        outcome = _cheat(dealt, cheater, _made({first: lifted, first + 1: lifted}))

        _require_caught(outcome, cheater, PeerCheated)


def _scaled(views: Vectors, factor: float) -> Vectors:
    largest = entry_max(views.shape[1])
    scaled: Vectors = np.rint(views.astype(np.float64) * factor).clip(-largest, largest).astype(np.int8)
    return scaled


@pytest.mark.parametrize(
    ("factor", "lower", "upper"), [(0.3, 1 << 15, 0), (0.3, 2000, 0), (1.6, 0, 1 << 15), (1.6, 0, 5000)]
)
@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_helps_a_query_of_another_norm_is_caught(
    cheater: str, factor: float, lower: int, upper: int
) -> None:
    for seed in RUNS:
        honest = scene(seed, is_proved=True)
        dealt = replace(honest, views=_scaled(honest.views, factor))
        views, dims = dealt.views.shape
        least = range(2 * views * dims, 2 * views * dims + views)
        most = range(least.stop, least.stop + views)

        outcome = _lie(dealt, cheater, sums={**dict.fromkeys(least, lower), **dict.fromkeys(most, upper)})

        _require_caught(outcome, cheater, PeerCheated, PalmInvalid)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_matcher_that_helps_a_query_with_too_large_an_entry_is_caught(cheater: str) -> None:
    dims, beyond = 256, 8
    for seed in RUNS:
        vector = np.zeros((1, dims), np.int8)
        vector[0, seed], vector[0, 100:120] = entry_max(dims) + beyond, 4
        dealt = replace(scene(seed, is_proved=True, dims=dims, views=1), views=vector)

        _require_caught(_lie(dealt, cheater, sums={dims + seed: beyond}), cheater, PeerCheated)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_what_a_flipped_bit_of_an_entry_would_tell_is_never_opened(cheater: str) -> None:
    """
    Whether a flipped carry changes a sign of the query depends on the query. So it must be proved that none was
    flipped before it is looked at whether any sign is set: else who cheats learns a bit, and the customer is blamed.
    """
    for number in range(LAST_AND):
        for seed in range(4):
            dealt = scene(seed, is_proved=True)

            _require_caught(_lie(dealt, cheater, ands={(number, 0): 0xFFFF_FFFF}), cheater, PeerCheated)
