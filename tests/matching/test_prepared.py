"""
Promises of what is prepared: it gives the signs that the words have, serves queries that are smaller, and is proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from handsel.errors import PeerCheated
from handsel.matching import prepared
from handsel.matching.convert import Lanes
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Shared
from handsel.matching.kernels import Bits
from handsel.matching.masks import Masks
from handsel.matching.message import MATCHERS
from handsel.matching.prepared import Prepared, Shape, prepare, signs_by
from handsel.matching.ring import Words
from tests.matching.cheat import Outcome, lie, play
from tests.matching.dealt import Dealer

SHAPES = [Shape(Lanes(64, 64, 12), 1), Shape(Lanes(128, 192, 9), 3), Shape(Lanes(64, 0, 12), 2)]


def _prepared(dealer: Dealer, shape: Shape, masks: Mapping[str, Masks] | None = None) -> Outcome[Prepared]:
    masks = masks or dealer.masks()
    return play({name: prepare(Seat(name), shape, masks[name], dealer.octets) for name in MATCHERS})


def _joined(shares: Sequence[Shared]) -> Bits:
    """
    Return what the shares of a, b and c are of; each is held by two, who hold the same.
    """
    for index in range(3):
        assert np.array_equal(shares[index].after, shares[(index + 1) % 3].own)
    return shares[0].own ^ shares[1].own ^ shares[2].own


def _require_consistent(pieces: Sequence[Prepared]) -> Words:
    """
    Require that planes are the bits of the words, and that all triples are; return the words.
    """
    lanes = pieces[0].shape.lanes
    for index in range(3):
        assert np.array_equal(pieces[index].after, pieces[(index + 1) % 3].own)
    words = pieces[0].own + pieces[1].own + pieces[2].own
    planes = [_joined([piece.planes[number] for piece in pieces]) for number in range(16)]
    assert np.array_equal(lanes.planes(words), np.concatenate(planes))
    for number in range(len(pieces[0].carries)):
        x, y, z = (_joined([piece.carries[number][part] for piece in pieces]) for part in range(3))
        assert np.array_equal(x, planes[number + 1][: x.size])
        assert np.array_equal(x & y, z)
    x, y, z = (_joined([piece.joining[part] for piece in pieces]) for part in range(3))
    assert x.size == pieces[0].shape.joined
    assert np.array_equal(x & y, z)
    return words


@pytest.mark.parametrize("shape", SHAPES)
def test_planes_are_the_bits_of_the_words_and_triples_are_triples(shape: Shape) -> None:
    made = _prepared(Dealer(1), shape).answers

    _require_consistent([made[name] for name in MATCHERS])


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_prepared_for_several_queries_is_cut_into_as_many_that_have_nothing_in_common(shape: Shape) -> None:
    made = _prepared(Dealer(2), shape.times(3)).answers

    cut = {name: made[name].cut(3) for name in MATCHERS}

    words = [_require_consistent([cut[name][number] for name in MATCHERS]) for number in range(3)]
    assert {shape} == {piece.shape for pieces in cut.values() for piece in pieces}
    together = np.concatenate(words)
    assert len(np.unique(together)) > 0.9 * together.size


def test_large_query_is_prepared_in_parts_and_has_them_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape(Lanes(192, 64 * 3 * 5, 12), 3)
    monkeypatch.setattr(prepared, "WORDS_AT_ONCE", shape.ands // 3)

    made = _prepared(Dealer(5), shape).answers

    assert len(shape.parts()) == 3
    _require_consistent([made[name] for name in MATCHERS])
    assert made["a"].shape.holds(shape)


def _signs(name: str, masks: Masks, ready: Prepared, part: Words, dealer: Dealer) -> Dialogue[list[Words | Shared]]:
    gates = Gates(Seat(name), masks)
    own, after, negative = yield from signs_by(gates, part, ready)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return [own, after, negative]


@pytest.mark.parametrize("shape", SHAPES)
def test_signs_are_those_of_the_sums_and_the_sums_are_what_two_hold(shape: Shape) -> None:
    dealer, lanes = Dealer(3), shape.lanes
    made = _prepared(dealer, shape).answers
    parts, masks = [dealer.words((lanes.wide + lanes.narrow,)) for _ in MATCHERS], dealer.masks()

    outcome = play({name: _signs(name, masks[name], made[name], parts[i], dealer) for i, name in enumerate(MATCHERS)})

    total = parts[0] + parts[1] + parts[2]
    own, after, negative = zip(*(outcome.answers[name] for name in MATCHERS), strict=True)
    assert np.array_equal(total, own[0] + own[1] + own[2])
    assert all(np.array_equal(after[index], own[(index + 1) % 3]) for index in range(3))
    top = np.concatenate([total[: lanes.wide] >> 15, total[lanes.wide :] >> (lanes.bits - 1)]) & 1
    assert np.packbits(top.astype(np.uint8), bitorder="little").tobytes() == _joined(negative).tobytes()


@pytest.mark.parametrize("cheater", MATCHERS)
@pytest.mark.parametrize("number", range(16))
def test_and_that_is_false_while_something_is_prepared_is_caught(cheater: str, number: int) -> None:
    """
    One AND is of all carries of three summands, fourteen of a chain, and one of all that hides and joins.
    """
    shape = SHAPES[1]
    for seed in range(3):
        dealer = Dealer(seed)
        place, bit = (int(dealer.generator.integers(size)) for size in (2, 64))
        masks = lie(dealer.masks(), cheater, ands={(number, place): 1 << bit})

        outcome = _prepared(dealer, shape, masks)

        assert {PeerCheated} == {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


def test_shape_holds_what_is_smaller_and_alike() -> None:
    shape = Shape(Lanes(128, 384, 12), 3)

    assert shape.holds(shape)
    assert shape.holds(Shape(Lanes(64, 192, 12), 3))
    assert not shape.holds(Shape(Lanes(192, 384, 12), 3))
    assert not shape.holds(Shape(Lanes(128, 576, 12), 3))
    assert not shape.holds(Shape(Lanes(128, 384, 11), 3))
    assert not shape.holds(Shape(Lanes(128, 128, 12), 1))


def test_nothing_of_what_is_prepared_is_shown() -> None:
    assert "own" not in repr(_prepared(Dealer(4), SHAPES[0]).answers["a"])
