"""
Promises of the query: what has not a palm's form is refused by all three, and nothing is answered; a palm never is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from handsel.errors import PalmInvalid
from handsel.matching.honest import Asked, nonsense_size
from handsel.matching.message import MATCHERS
from handsel.matching.ring import Words
from handsel.matching.scale import SCALE, entry_max, squares_of_norms
from tests.matching.cheat import Outcome, play
from tests.matching.dealt import Scene, Vectors, palms, scene, with_share, xor

both_ways = pytest.mark.parametrize("is_proved", [False, True])


def _outcome(dealt: Scene, asked: Mapping[str, Asked]) -> Outcome[bytes]:
    return play(dealt.dialogues(asked=asked))


def _require_refused(dealt: Scene, asked: Mapping[str, Asked]) -> None:
    outcome = _outcome(dealt, asked)

    assert not outcome.answers
    assert dict.fromkeys(MATCHERS, PalmInvalid) == {name: type(exc) for name, exc in outcome.raised.items()}


def _require_answered(dealt: Scene, asked: Mapping[str, Asked]) -> None:
    outcome = _outcome(dealt, asked)

    assert not outcome.raised
    assert dealt.expected == xor(outcome.answers.values())


def _of_square(dims: int, square: int) -> Vectors:
    """
    Return a vector (1, D) of small entries whose squares sum to `square`.
    """
    vector, largest = np.zeros((1, dims), np.int8), entry_max(dims)
    for at in range(dims):
        entry = min(largest, int(np.sqrt(square)))
        vector[0, at], square = entry, square - entry * entry
    assert square == 0
    return vector


def _times(views: Vectors, factor: float) -> Words:
    return np.rint(views.astype(np.float64) * factor).astype(np.int64).astype(np.uint16)


@both_ways
@pytest.mark.parametrize("dims", [16, 64, 432])
def test_palms_are_answered(dims: int, is_proved: bool) -> None:
    for seed in range(5):
        dealt = scene(seed, is_proved=is_proved, dims=dims, views=3)

        _require_answered(dealt, dealt.dealer.asked(dealt.views))


@both_ways
@pytest.mark.parametrize("dims", [16, 64, 432])
@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0, 4.0, 10.0, 100.0])
def test_vector_of_another_norm_is_refused(factor: float, dims: int, is_proved: bool) -> None:
    dealt = scene(1, is_proved=is_proved, dims=dims, views=1)

    _require_refused(dealt, dealt.dealer.asked(_times(dealt.views, factor)))


@both_ways
@pytest.mark.parametrize("view", [0, 1, 2])
def test_one_view_of_another_norm_among_honest_ones_is_refused(view: int, is_proved: bool) -> None:
    dealt = scene(2, is_proved=is_proved, views=3)
    for factor in (0.0, 0.5, 2.0):
        views = dealt.views.copy()
        views[view] = np.rint(views[view] * factor)

        _require_refused(dealt, dealt.dealer.asked(views))


@both_ways
@pytest.mark.parametrize("dims", [64, 432])
def test_norms_are_refused_from_just_beyond_the_honest_ones(dims: int, is_proved: bool) -> None:
    dealt, honest = scene(3, is_proved=is_proved, dims=dims, views=1), squares_of_norms(dims)

    for square in (honest[0], honest[-1]):
        assert not _outcome(dealt, dealt.dealer.asked(_of_square(dims, square))).raised
    for square in (honest[0] - 1, honest[-1] + 1):
        _require_refused(dealt, dealt.dealer.asked(_of_square(dims, square)))


@both_ways
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dims", [16, 64, 432])
def test_entry_is_refused_from_just_beyond_the_largest(dims: int, sign: int, is_proved: bool) -> None:
    dealt, largest = scene(4, is_proved=is_proved, dims=dims, views=1), entry_max(dims)
    for entry, is_taken in ((largest, True), (largest + 1, False)):
        # The others make the norm honest whatever this one is.
        rest = (
            _of_square(dims - 1, SCALE * SCALE - entry * entry) if entry < SCALE else np.zeros((1, dims - 1), np.int8)
        )
        vector = np.concatenate([rest[:, :5], np.full((1, 1), sign * entry, np.int8), rest[:, 5:]], axis=1)
        assert int((vector.astype(int) ** 2).sum()) in squares_of_norms(dims)

        if is_taken:
            assert not _outcome(dealt, dealt.dealer.asked(vector)).raised
        else:
            _require_refused(dealt, dealt.dealer.asked(vector))


def _wrapping(generator: np.random.Generator, dims: int, size: int) -> Words:
    """
    Return entries of up to `size`, whose squares sum to an honest square of a norm modulo 2^16 and not without.
    """
    honest = squares_of_norms(dims)
    while True:
        entries = generator.integers(-size, size + 1, (10_000, dims))
        squares = (entries**2).sum(axis=1)
        found = entries[(squares % (1 << 16) >= honest[0]) & (squares % (1 << 16) <= honest[-1]) & (squares >= 1 << 16)]
        if len(found):
            words: Words = found[:1].astype(np.uint16)
            return words


@both_ways
@pytest.mark.parametrize("dims", [16, 64, 432])
@pytest.mark.parametrize("size", [100, 1000, 32767])
def test_entries_whose_squares_wrap_around_to_an_honest_sum_are_refused(dims: int, size: int, is_proved: bool) -> None:
    dealt = scene(5, is_proved=is_proved, dims=dims, views=1)
    for _ in range(3):
        _require_refused(dealt, dealt.dealer.asked(_wrapping(dealt.dealer.generator, dims, size)))


@both_ways
@pytest.mark.parametrize("entry", [1 << 14, 1 << 15, -(1 << 15) + 1, 1 << 8])
def test_entry_whose_square_wraps_around_to_nothing_is_refused(entry: int, is_proved: bool) -> None:
    dealt = scene(6, is_proved=is_proved, views=1)
    views = dealt.views.astype(np.int64).astype(np.uint16)
    views[0, 7] += np.array(entry % (1 << 16)).astype(np.uint16)

    _require_refused(dealt, dealt.dealer.asked(views))


@both_ways
@pytest.mark.parametrize("view", [0, 1, 2])
def test_rows_that_are_another_palm_than_the_views_are_refused(view: int, is_proved: bool) -> None:
    dealt = scene(7, is_proved=is_proved, views=3)
    for change in ("palm", "sign", "entry", "order"):
        rows = dealt.views.copy()
        if change == "palm":
            rows[view] = palms(dealt.dealer.generator, 1, dims=16)[0]
        elif change == "sign":
            rows[view] = -rows[view]
        elif change == "entry":
            rows[view, 3] += 1 if rows[view, 3] < 0 else -1
        else:
            rows[[view, view - 1]] = rows[[view - 1, view]]

        _require_refused(dealt, dealt.dealer.asked(dealt.views, rows=rows))


@both_ways
def test_forms_that_differ_by_half_the_ring_are_refused(is_proved: bool) -> None:
    """
    The hardest to see: such a difference is zero under every even weight.
    """
    for seed in range(20):
        dealt = scene(seed, is_proved=is_proved)
        rows = dealt.views.astype(np.int64)
        rows[seed % 2, seed % 16] += 1 << 15

        _require_refused(dealt, dealt.dealer.asked(dealt.views, rows=rows))


@both_ways
@pytest.mark.parametrize("name", MATCHERS)
def test_shares_that_do_not_lie_on_a_line_are_refused(name: str, is_proved: bool) -> None:
    dealt = scene(8, is_proved=is_proved)
    asked, noise = dealt.dealer.asked(dealt.views), dealt.dealer.words(dealt.views.shape)

    for wrong in (
        with_share(asked, name, views=noise),
        with_share(asked, name, rows=noise),
        with_share(asked, name, views=noise, rows=noise),
    ):
        _require_refused(dealt, wrong)


@both_ways
@pytest.mark.parametrize("name", MATCHERS)
def test_one_word_of_one_share_that_is_off_the_line_by_half_the_ring_is_refused(name: str, is_proved: bool) -> None:
    for seed in range(10):
        dealt = scene(seed, is_proved=is_proved)
        asked = dealt.dealer.asked(dealt.views)
        off = np.zeros(dealt.views.shape, np.uint16)
        off[seed % 2, seed % 16] = 1 << 15

        for wrong in (
            with_share(asked, name, views=asked[name].views + off),
            with_share(asked, name, rows=asked[name].rows + off),
            with_share(asked, name, views=asked[name].views + off, rows=asked[name].rows + off),
        ):
            _require_refused(dealt, wrong)


@both_ways
def test_palm_to_be_enrolled_is_not_compared(is_proved: bool) -> None:
    for seed in range(5):
        dealt = scene(seed, is_proved=is_proved)
        enrolled = palms(dealt.dealer.generator, 1, dims=16)

        _require_answered(dealt, dealt.dealer.asked(np.concatenate([dealt.views, enrolled]), matched=len(dealt.views)))


@both_ways
@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0, 10.0])
def test_palm_to_be_enrolled_of_another_norm_is_refused_beside_honest_views(factor: float, is_proved: bool) -> None:
    dealt = scene(9, is_proved=is_proved)
    enrolled = _times(palms(dealt.dealer.generator, 1, dims=16), factor)
    views = dealt.views.astype(np.int64).astype(np.uint16)

    _require_refused(dealt, dealt.dealer.asked(np.concatenate([views, enrolled]), matched=len(views)))


@both_ways
@pytest.mark.parametrize("name", MATCHERS)
def test_template_of_which_one_share_is_off_the_line_is_refused(name: str, is_proved: bool) -> None:
    dealt = scene(10, is_proved=is_proved)
    views = np.concatenate([dealt.views, palms(dealt.dealer.generator, 1, dims=16)])
    asked = dealt.dealer.asked(views, matched=len(dealt.views))
    rows = asked[name].rows.copy()
    rows[-1] = dealt.dealer.words((16,))

    _require_refused(dealt, with_share(asked, name, rows=rows))


@pytest.mark.parametrize(("vectors", "dims"), [(1, 2), (1, 16), (3, 16), (2, 64), (9, 432)])
def test_what_must_not_be_negative_fills_whole_planes(vectors: int, dims: int) -> None:
    size = nonsense_size(vectors, dims)

    assert size % 64 == 0
    assert 0 <= size - 2 * vectors * dims - 2 * vectors < 64
