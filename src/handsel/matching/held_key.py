"""
Compare one palm with one: the template that a card unlocks, at the till, in memory, for a moment.

The same rounding and the same integers as the blind match, so that both decide alike. Knows no key and no card.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from handsel.errors import PalmInvalid, ensure
from handsel.matching.scale import squares_of_norms, threshold_to_int
from handsel.matching.template import quantise
from handsel.order import TEMPLATE_BYTES

DIMS_BYTES = 2


@dataclass(frozen=True, eq=False)
class HeldTemplate:
    """
    Hold an enrolled palm as it is compared: int8 (D,).
    """

    entries: NDArray[np.int8] = field(repr=False)  # (D,)


def pack_template(vector: NDArray[np.float32]) -> bytes:
    """
    Return a unit vector (D,) as `TEMPLATE_BYTES` bytes: D in two bytes, its rounded entries, zeros.
    """
    entries = quantise(vector)
    packed = len(entries).to_bytes(DIMS_BYTES, "little") + entries.tobytes()
    ensure(len(packed) <= TEMPLATE_BYTES, "a template fits into its fixed length")
    return packed.ljust(TEMPLATE_BYTES, b"\0")


def unpack_template(packed: bytes) -> HeldTemplate:
    """
    Return the template in `packed`. Raises `PalmInvalid` for what `pack_template` never makes.
    """
    if len(packed) != TEMPLATE_BYTES:
        raise PalmInvalid("a template has a fixed length")
    dims = int.from_bytes(packed[:DIMS_BYTES], "little")
    if not 0 < dims <= TEMPLATE_BYTES - DIMS_BYTES or any(packed[DIMS_BYTES + dims :]):
        raise PalmInvalid("a template has entries, and zeros behind them")
    entries = np.frombuffer(packed, np.int8, count=dims, offset=DIMS_BYTES)
    square = int(np.sum(entries.astype(np.int64) ** 2))
    if square not in squares_of_norms(dims):
        raise PalmInvalid("a template has a palm's norm")
    return HeldTemplate(entries)


def is_same_palm(views: NDArray[np.float32], template: HeldTemplate, *, threshold: float) -> bool:
    """
    Say whether any of the views (V, D), unit vectors, reaches `threshold`, a cosine, against the template.
    """
    ensure(views.shape[-1] == len(template.entries), "a palm is compared with one of the same model")
    scores = quantise(views).astype(np.int32) @ template.entries.astype(np.int32)  # (V,)
    return bool(np.max(scores) >= threshold_to_int(threshold))
