"""
Hold the three-party match of one matcher, as a dialogue that sends and receives and knows no socket.

1. Dot products: the product of two Shamir shares is a share of the product, of degree 2, which three weights add up.
2. Masks: the three words of a comparison sum to dot - threshold; masks that sum to zero make each of them random.
3. Signs: the words become shared bits, and their sum's top bit is 1 where dot < threshold (`convert.py`, and where
   cheaters are to be caught, `prepared.py`).
4. Views: a row is not matched where all views are below. AND over the views, in ⌈log₂ V⌉ steps.
5. Proof: where cheaters are to be caught, every dot product is checked (`proof.py`), and all that was opened compared,
   before anything is opened that a false one could change.
6. Nonsense: a query whose entries or norm are not a palm's is refused before anything is selected (`honest.py`).
7. Selection: each takes the XOR of its alias shares under its shares of the match bits. 16 bytes, masked once more.

No matcher learns a dot product, a bit or an alias. Who gets all three answers learns the XOR of the matched aliases.

LIMITATIONS
Without proof: a matcher that follows the steps learns nothing, one that does not can falsify the answer unseen. A
falsified selection is for the issuer to notice: what comes out is then no alias that it has authenticated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handsel.matching import kernels
from handsel.matching.convert import Lanes, parity_words, signs
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Shared
from handsel.matching.honest import (
    Asked,
    nonsense_size,
    nonsense_used,
    nonsense_words,
    require_honest_signs,
    require_one_query,
)
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.masks import Masks
from handsel.matching.message import ALIAS_BYTES
from handsel.matching.prepared import Prepared, Shape, prepare, signs_by
from handsel.matching.proof import Claims, prove_products
from handsel.matching.ring import Words, multiply_words, negate_odd, weight_at_zero
from handsel.matching.rows import Rows
from handsel.matching.scale import WORD_BITS
from handsel.matching.scan import Meet, meet

_MASK_WORDS = 1 << 15  # Masked at a time: the masks stay in the second-level cache.


@dataclass(frozen=True)
class Terms:
    """
    Say how a query is matched: from which dot product on, and whether every step is proved before an answer is given.
    """

    threshold: int
    is_proved: bool
    bits: int = WORD_BITS  # Of a comparison that count: `scale.comparison_bits`.


def shape_of(*, rows: int, vectors: int, matched: int, dims: int, terms: Terms) -> Shape:
    """
    Return the shape of a query over so many rows, padding included.
    """
    return Shape(Lanes(nonsense_size(vectors, dims), rows * matched, terms.bits), matched)


def match(
    me: str,
    *,
    rows: Rows,
    asked: Asked,
    terms: Terms,
    masks: Masks,
    random_bytes: Callable[[int], bytes],
    prepared: Prepared | None = None,
    meet: Meet = meet,
) -> Dialogue[bytes]:
    """
    Carry out the match as matcher `me` and return its masked 16 bytes. `meet` makes the products.

    What is `prepared` all three hold; where every step is to be proved and nothing is, or it has not the room, it is
    prepared now. Raises `PalmInvalid` where the query is not a palm's, and `PeerCheated`.
    """
    seat, (vectors, dims) = Seat(me), asked.views.shape
    shape = shape_of(rows=rows.padded, vectors=vectors, matched=asked.matched, dims=dims, terms=terms)
    is_ready = prepared is not None and prepared.shape.holds(shape)
    gates = Gates(seat, masks)
    yield from require_one_query(seat, asked, masks, random_bytes)
    if terms.is_proved:
        ready = prepared if prepared and is_ready else (yield from prepare(seat, shape, masks, random_bytes))
        sums = masked_sums(seat, shape=ready.shape, rows=rows, asked=asked, terms=terms, masks=masks, meet=meet)  # 1, 2
        own, after, negative = yield from signs_by(gates, sums, ready)  # 3
        claims = Claims(own, after, ready.shape, terms.threshold)
    else:
        ready = None
        sums = masked_sums(seat, shape=shape, rows=rows, asked=asked, terms=terms, masks=masks, meet=meet)
        negative = yield from signs(gates, sums, shape.lanes)
    wide = (ready.shape if ready else shape).lanes.wide // PLANE_BITS
    narrow, joining = negative.part(wide, negative.size), ready.joining if ready else None
    below = yield from gates.all_of(narrow, parts=asked.matched, triples=joining)  # 4
    if terms.is_proved:
        yield from prove_products(seat, claims, rows=rows, asked=asked, masks=masks, random_bytes=random_bytes)  # 5
        yield from gates.agreement.settle(seat, random_bytes=random_bytes)
    used = nonsense_used(vectors, dims)
    yield from require_honest_signs(gates, negative.part(0, wide), random_bytes, used=used)  # 6
    return _select(gates, gates.negated(below), rows=rows)  # 7


def masked_sums(
    seat: Seat, *, shape: Shape, rows: Rows, asked: Asked, terms: Terms, masks: Masks, meet: Meet = meet
) -> Words:
    """
    Return this matcher's summands of all comparisons, and before them those of the query itself; masked.

    Lanes of `shape` beyond the rows are those of palms of nothing but zeros.
    """
    weighted = negate_odd(multiply_words(asked.views, weight_at_zero(seat.index)))  # (V, D)
    matched, wide = weighted[: asked.matched], shape.lanes.wide
    sums = np.empty(wide + shape.lanes.narrow, np.uint16)
    sums[:wide] = nonsense_words(seat, asked, weighted, size=wide)
    products = sums[wide:].reshape(len(matched), shape.width)
    products[:, rows.padded :] = 0
    meet(rows, matched, products)
    if seat.index == 0:
        products -= np.uint16(terms.threshold % (1 << WORD_BITS))
    for start in range(0, sums.size, _MASK_WORDS):
        part = sums[start : start + _MASK_WORDS]
        kernels.add_mask(part, *masks.words(part.size))
    return sums


def _select(gates: Gates, matched: Shared, *, rows: Rows) -> bytes:
    sums = np.zeros(8 * ALIAS_BYTES, np.uint64)
    for start, segment in rows.placed():
        words = matched.part(start // PLANE_BITS, (start + len(segment.templates)) // PLANE_BITS)
        kernels.select(*words, segment.own, segment.pair, sums)
    answer, other = gates.masks.bits(2)
    answer ^= other
    answer ^= parity_words(sums[:, None])
    return answer.tobytes()
