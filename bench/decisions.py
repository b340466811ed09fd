"""
Compare the decisions of the blind match with those in the clear, one by one.

Three parties take turns over random palms, and the sign of every comparison is opened, which no matcher ever does. The
thresholds lie where many pairs are, so that both outcomes are frequent; half of the queries are decided with prepared
words, as where every step is proved.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from bench.by_turns import fresh_masks
from bench.galleries import Palms, draw_palms
from bench.served import asked_of
from numpy.typing import NDArray

from handsel.matching.convert import signs
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates
from handsel.matching.honest import Asked
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks
from handsel.matching.message import MATCHERS
from handsel.matching.party import Terms, masked_sums, shape_of
from handsel.matching.prepared import prepare, signs_by
from handsel.matching.rows import ALIAS_PLANES, Rows, Segment
from handsel.matching.scale import comparison_bits
from handsel.matching.split import split_rows
from handsel.matching.template import quantise

ROWS, VIEWS = 1 << 15, 32  # Of one query: a million comparisons.
QUERIES_OF_GALLERY = 8  # Then other palms are drawn.
THRESHOLDS = (-60, 60)  # A product of unrelated palms has a deviation of SCALE² / √D, which is 49.


@dataclass(frozen=True)
class Decisions:
    """
    Count the comparisons, those that reached the threshold in the clear, and those that the match decided otherwise.
    """

    compared: int = 0
    reached: int = 0
    differences: int = 0


def compare_decisions(
    count: int, *, dims: int, generator: np.random.Generator, say: Callable[[str], None]
) -> Decisions:
    """
    Compare at least `count` decisions.
    """
    found, number = Decisions(), 0
    while found.compared < count:
        if number % QUERIES_OF_GALLERY == 0:
            palms = draw_palms(generator, rows=ROWS, dims=dims)
            rows = rows_of(palms)
            say(f"  {found.compared:,} decisions compared, {found.differences} differ")
        views = quantise(draw_palms(generator, rows=VIEWS, dims=dims).drawn)
        threshold = int(generator.integers(*THRESHOLDS))
        terms = Terms(threshold, is_proved=number % 2 == 1, bits=comparison_bits(threshold, dims=dims))
        blind = decide(rows, asked_of(views), terms)
        # A product is far below 2^24, so that float32 is exact.
        clear = views.astype(np.float32) @ palms.quantised.astype(np.float32).T >= threshold  # (V, N)
        found = replace(
            found,
            compared=found.compared + clear.size,
            reached=found.reached + int(clear.sum()),
            differences=found.differences + int((blind != clear).sum()),
        )
        number += 1
    return found


def rows_of(palms: Palms) -> dict[str, Rows]:
    """
    Return the shares of palms, by matcher, without aliases.
    """
    count = len(palms.quantised)
    nothing = np.zeros((count // PLANE_BITS, ALIAS_PLANES), np.uint64)
    names = np.zeros((count, 16), np.uint8), np.arange(count)
    return {
        name: Rows(*names, (Segment(share, nothing, nothing),))
        for name, share in zip(MATCHERS, split_rows(palms.quantised), strict=True)
    }


def decide(rows: dict[str, Rows], asked: dict[str, Asked], terms: Terms) -> NDArray[np.bool_]:
    """
    Return which comparisons reach the threshold, (V, N), as the three find it.
    """
    masks = fresh_masks()
    run = Lockstep({name: _opened_signs(name, rows[name], asked[name], terms, masks[name]) for name in MATCHERS})
    below = run.run()["a"].view(np.uint8)
    decided: NDArray[np.bool_] = np.unpackbits(below, bitorder="little").reshape(asked["a"].matched, -1) == 0
    return decided


def _opened_signs(me: str, rows: Rows, asked: Asked, terms: Terms, masks: Masks) -> Dialogue[Bits]:
    vectors, dims = asked.views.shape
    shape = shape_of(rows=rows.padded, vectors=vectors, matched=asked.matched, dims=dims, terms=terms)
    gates = Gates(Seat(me), masks)
    sums, lanes = masked_sums(gates.seat, shape=shape, rows=rows, asked=asked, terms=terms, masks=masks), shape.lanes
    if terms.is_proved:
        prepared = yield from prepare(gates.seat, shape, masks, os.urandom)
        _, _, negative = yield from signs_by(gates, sums, prepared)
    else:
        negative = yield from signs(gates, sums, lanes)
    return (yield from gates.open(negative.part(lanes.wide // PLANE_BITS, negative.size)))
