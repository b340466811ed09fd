"""
Promises of the conversion: words that are summands become the bits of their sum, and only the bits that count travel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.matching.convert import Lanes, bits_of_sums, open_sums, parity_words, replicate, signs
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Shared, join, tops
from handsel.matching.message import MATCHERS
from handsel.matching.ring import Words
from tests.matching.cheat import Said, changing, messages, play
from tests.matching.dealt import Dealer

ANY_BITS = range(8, 17)
SIZES = [(64, 64), (64, 192), (128, 0), (192, 640)]
Signs = Callable[[Gates, Words, Lanes], Dialogue[Shared]]


def _that_count(words: Words, lanes: Lanes) -> Words:
    mask = np.full(words.shape, 0xFFFF, np.uint16)
    mask[lanes.wide :] = (1 << lanes.bits) - 1
    kept: Words = words & mask
    return kept


@pytest.mark.parametrize("bits", ANY_BITS)
@pytest.mark.parametrize(("wide", "narrow"), SIZES)
def test_bits_that_count_come_back_and_the_others_are_zero(bits: int, wide: int, narrow: int) -> None:
    lanes, words = Lanes(wide, narrow, bits), Dealer(bits).words((wide + narrow,))

    payload = lanes.to_bytes(words)

    assert len(payload) == (16 * wide + bits * narrow) // 8
    assert np.array_equal(_that_count(words, lanes), lanes.from_bytes(payload))


@pytest.mark.parametrize("bits", ANY_BITS)
@pytest.mark.parametrize(("wide", "narrow"), SIZES)
def test_message_of_another_length_is_refused(bits: int, wide: int, narrow: int) -> None:
    lanes = Lanes(wide, narrow, bits)
    length = len(lanes.to_bytes(np.zeros(wide + narrow, np.uint16)))

    for wrong in (0, length - 1, length + 1, length + 8):
        with pytest.raises(EnvelopeInvalid):
            lanes.from_bytes(bytes(wrong))


@pytest.mark.parametrize("bits", ANY_BITS)
@pytest.mark.parametrize(("wide", "narrow"), SIZES)
def test_planes_stand_one_behind_the_other_and_end_where_lanes_end(bits: int, wide: int, narrow: int) -> None:
    lanes, words = Lanes(wide, narrow, bits), Dealer(bits).words((wide + narrow,))

    planes = lanes.cut(lanes.planes(words))

    assert lanes.sizes == [plane.size for plane in planes]
    for power, plane in enumerate(planes):
        here = words if power < bits else words[:wide]
        expected = np.packbits((here >> power & 1).astype(np.uint8), bitorder="little")
        assert expected.tobytes() == plane.tobytes()


def _top_bits_of_replicated(gates: Gates, sums: Words, lanes: Lanes) -> Dialogue[Shared]:
    own, after = yield from replicate(gates, sums)
    return tops((yield from bits_of_sums(gates, own, after, lanes)))


def _dialogues(dealer: Dealer, of: Signs, parts: list[Words], lanes: Lanes) -> dict[str, Dialogue[Shared]]:
    masks = dealer.masks()
    return {name: of(Gates(Seat(name), masks[name]), parts[index], lanes) for index, name in enumerate(MATCHERS)}


both_ways = pytest.mark.parametrize("of", [signs, _top_bits_of_replicated])


@both_ways
@pytest.mark.parametrize("bits", [8, 9, 12, 16])
@pytest.mark.parametrize(("wide", "narrow"), SIZES)
def test_sign_is_the_top_bit_that_counts_of_the_sum_of_all_three(of: Signs, bits: int, wide: int, narrow: int) -> None:
    dealer, lanes = Dealer(bits), Lanes(wide, narrow, bits)
    parts = [dealer.words((wide + narrow,)) for _ in MATCHERS]

    shares = play(_dialogues(dealer, of, parts, lanes)).answers

    found = shares["a"].own ^ shares["b"].own ^ shares["c"].own
    total = parts[0] + parts[1] + parts[2]
    top = np.concatenate([total[:wide] >> 15, total[wide:] >> (bits - 1)]) & 1
    assert np.packbits(top.astype(np.uint8), bitorder="little").tobytes() == found.tobytes()
    for name in MATCHERS:
        assert np.array_equal(shares[name].after, shares[Seat(name).after].own)


@both_ways
def test_signs_are_right_at_every_edge(of: Signs) -> None:
    edges = np.array([0, 1, 2047, 2048, 2049, 4095, 32767, 32768, 32769, 65535], np.uint16)
    totals = np.concatenate([np.resize(edges, 64), np.resize(edges, 128)])
    dealer, lanes = Dealer(1), Lanes(64, 128, 12)
    parts = [dealer.words(totals.shape), dealer.words(totals.shape)]
    parts.append(totals - parts[0] - parts[1])

    shares = play(_dialogues(dealer, of, parts, lanes)).answers

    found = np.unpackbits((shares["a"].own ^ shares["a"].after ^ shares["b"].after).view(np.uint8), bitorder="little")
    assert [total >> 15 for total in totals[:64].tolist()] == found[:64].tolist()
    assert [total >> 11 & 1 for total in totals[64:].tolist()] == found[64:].tolist()


def _bits_of_replicated(gates: Gates, sums: Words, lanes: Lanes) -> Dialogue[Shared]:
    own, after = yield from replicate(gates, sums)
    return join((yield from bits_of_sums(gates, own, after, lanes)))


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(("wide", "narrow"), SIZES)
def test_bits_of_sums_are_all_that_count(bits: int, wide: int, narrow: int) -> None:
    dealer, lanes = Dealer(bits), Lanes(wide, narrow, bits)
    parts = [dealer.words((wide + narrow,)) for _ in MATCHERS]

    shares = play(_dialogues(dealer, _bits_of_replicated, parts, lanes)).answers

    found = shares["a"].own ^ shares["b"].own ^ shares["c"].own
    assert np.array_equal(lanes.planes(parts[0] + parts[1] + parts[2]), found)


def _opened(name: str, part: Words, dealer: Dealer) -> Dialogue[Words]:
    gates = Gates(Seat(name), dealer.masks()[name])
    opened = yield from open_sums(gates, part)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return opened


@pytest.mark.parametrize("size", [0, 64, 128, 640])
def test_sums_are_opened_to_all_three_and_cost_a_third_more_than_they_are_long(size: int) -> None:
    dealer = Dealer(size)
    parts = [dealer.words((size,)) for _ in MATCHERS]

    opened = play({name: _opened(name, parts[i], dealer) for i, name in enumerate(MATCHERS)}).answers
    sent = messages({name: _opened(name, parts[i], dealer) for i, name in enumerate(MATCHERS)})

    assert all(np.array_equal(parts[0] + parts[1] + parts[2], sums) for sums in opened.values())
    assert sum(len(one.payload) for name in MATCHERS for one in sent[name][:4]) == 4 * 2 * size


@pytest.mark.parametrize("liar", MATCHERS)
def test_who_tells_two_different_sums_is_caught_when_all_is_compared(liar: str) -> None:
    for number in (2, 3):
        dealer = Dealer(number)
        dialogues = {name: _opened(name, dealer.words((64,)), dealer) for name in MATCHERS}

        def flip(at: int, message: Said, number: int = number) -> bytes:
            return message.payload if at != number else bytes([message.payload[0] ^ 1]) + message.payload[1:]

        outcome = play({**dialogues, liar: changing(dialogues[liar], flip)}, last=liar)

        assert PeerCheated in {type(exc) for name, exc in outcome.raised.items() if name != liar}


@both_ways
def test_bits_that_do_not_count_are_not_sent(of: Signs) -> None:
    """
    Of a narrow word no more than its bits is sent with the first message, but for replicated words, which stay whole.
    """
    dealer, lanes = Dealer(2), Lanes(64, 640, 11)
    parts = [dealer.words((704,)) for _ in MATCHERS]

    first = {name: len(sent[0].payload) for name, sent in messages(_dialogues(dealer, of, parts, lanes)).items()}

    assert first == dict.fromkeys(MATCHERS, 2 * 64 + 640 * 11 // 8 if of is signs else 2 * 704)


def test_replicated_words_are_known_to_two() -> None:
    dealer = Dealer(3)
    parts, masks = [dealer.words((9,)) for _ in MATCHERS], dealer.masks()

    outcome = play(
        {name: replicate(Gates(Seat(name), masks[name]), part) for name, part in zip(MATCHERS, parts, strict=True)}
    )

    for index, name in enumerate(MATCHERS):
        own, after = outcome.answers[name]
        assert np.array_equal(parts[index], own)
        assert np.array_equal(parts[(index + 1) % 3], after)


@pytest.mark.parametrize(("count", "size"), [(64, 1), (64, 9), (128, 2), (64, 0)])
def test_parities_of_64_arrays_are_the_bits_of_a_word(count: int, size: int) -> None:
    bits = Dealer(4).bits((count, size))

    expected = [sum(int(word).bit_count() for word in array) % 2 for array in bits]
    found = parity_words(bits)

    assert found.shape == (count // 64,)
    assert expected == np.unpackbits(found.view(np.uint8), bitorder="little").tolist()
