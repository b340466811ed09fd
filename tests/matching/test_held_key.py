"""
One to one: a packed template is itself again, and the decision is that of the numbers in the clear.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.errors import InvariantBroken, PalmInvalid
from handsel.matching.held_key import is_same_palm, pack_template, unpack_template
from handsel.matching.scale import SCALE, threshold_to_int
from handsel.matching.template import quantise
from handsel.order import TEMPLATE_BYTES

DIMS, VIEWS = 432, 9


def palms(count: int, *, seed: int, dims: int = DIMS) -> NDArray[np.float32]:
    """
    Return unit vectors (count, D).
    """
    rows = np.random.default_rng(seed).standard_normal((count, dims))
    units: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


@pytest.mark.parametrize("dims", [64, DIMS, TEMPLATE_BYTES - 2])
def test_a_template_is_itself_again_and_always_as_long(dims: int) -> None:
    vector = palms(1, seed=dims, dims=dims)[0]

    packed = pack_template(vector)

    assert len(packed) == TEMPLATE_BYTES
    assert unpack_template(packed).entries.tolist() == quantise(vector).tolist()


def test_a_vector_that_does_not_fit_is_a_defect() -> None:
    dims = TEMPLATE_BYTES - 1

    with pytest.raises(InvariantBroken):
        pack_template(np.full(dims, dims**-0.5, np.float32))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        bytes(TEMPLATE_BYTES),
        pack_template(palms(1, seed=1)[0])[:-1],
        pack_template(palms(1, seed=1)[0])[:-1] + b"\1",
        b"\xff\xff" + pack_template(palms(1, seed=1)[0])[2:],
        (DIMS).to_bytes(2, "little") + bytes(TEMPLATE_BYTES - 2),
    ],
    ids=["nothing", "zeros", "short", "a tail", "too many entries", "no norm"],
)
def test_what_is_no_template_is_refused(packed: bytes) -> None:
    with pytest.raises(PalmInvalid):
        unpack_template(packed)


def test_the_best_view_decides_as_in_the_blind_match() -> None:
    """
    Compare with the integers that the matchers compare, at every threshold around the score.
    """
    enrolled, views = palms(1, seed=2)[0], palms(VIEWS, seed=3)
    views[4] = enrolled * 0.6 + views[4] * 0.8
    views[4] /= np.linalg.norm(views[4])
    template = unpack_template(pack_template(enrolled))
    best = int(np.max(quantise(views).astype(int) @ quantise(enrolled).astype(int)))

    for dot in range(best - 2, best + 3):
        threshold = dot / SCALE**2

        assert threshold_to_int(threshold) == dot
        assert is_same_palm(views, template, threshold=threshold) is (best >= dot)


def test_palms_of_different_models_are_not_compared() -> None:
    template = unpack_template(pack_template(palms(1, seed=1)[0]))

    with pytest.raises(InvariantBroken):
        is_same_palm(np.full((1, 64), 0.125, np.float32), template, threshold=0.4)


def test_a_template_prints_no_number_of_itself() -> None:
    assert repr(unpack_template(pack_template(palms(1, seed=1)[0]))) == "HeldTemplate()"
