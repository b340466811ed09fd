"""
Hold the three-party match of one matcher, as a dialogue that sends and receives and knows no socket.

1. Dot products: the product of two Shamir shares is a share of the product, of degree 2, which three weights add up.
2. Masks: the three words of a comparison sum to dot - threshold; masks that sum to zero make each of them random.
3. Signs: the words become shared bits, and their sum's top bit is 1 where dot < threshold (`convert.py`).
4. Views: a row is not matched where all views are below. AND over the views, in ⌈log₂ V⌉ steps.
5. Proof: where cheaters are to be caught, every product so far is checked (`proof.py`), before anything is opened that
   a false one could change.
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
from handsel.matching.convert import Lanes, parity_words, replicate, signs, signs_of_replicated
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Product, Shared
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
from handsel.matching.proof import Claims, prove_ands, prove_products
from handsel.matching.ring import Words, multiply_words, negate_odd, weight_at_zero
from handsel.matching.rows import Rows
from handsel.matching.scale import WORD_BITS

_MASK_WORDS = 1 << 15  # Masked at a time: the masks stay in the second-level cache.


@dataclass(frozen=True)
class Terms:
    """
    Say how a query is matched: from which dot product on, and whether every step is proved before an answer is given.
    """

    threshold: int
    is_proved: bool
    bits: int = WORD_BITS  # Of a comparison that count: `scale.comparison_bits`.


def ands_of(*, rows: int, asked: Asked, terms: Terms) -> int:
    """
    Return how many words of ANDs a proved query over so many rows, padding included, has.
    """
    vectors, dims = asked.views.shape
    lanes = Lanes(nonsense_size(vectors, dims), rows * asked.matched, terms.bits)
    in_sums = sum(lanes.sizes[1:])  # One for each carry of the bitwise sums,
    in_chain = sum(lanes.sizes[2:])  # and of the chain.
    return in_sums + in_chain + (asked.matched - 1) * rows // PLANE_BITS


def match(
    me: str,
    *,
    rows: Rows,
    asked: Asked,
    terms: Terms,
    masks: Masks,
    random_bytes: Callable[[int], bytes],
    triples: Product | None = None,
) -> Dialogue[bytes]:
    """
    Carry out the match as matcher `me` and return its masked 16 bytes. `triples` are proved ones that all three hold.

    Raises `PalmInvalid` where the query is not a palm's, and `PeerCheated`.
    """
    seat = Seat(me)
    ands = ands_of(rows=rows.padded, asked=asked, terms=terms)
    gates = Gates(seat, masks, kept=ands if terms.is_proved else 0)
    yield from require_one_query(seat, asked, masks, random_bytes)
    sums, lanes = masked_sums(seat, rows=rows, asked=asked, terms=terms, masks=masks)  # 1, 2
    if terms.is_proved:
        own, after = yield from replicate(gates, sums)
        negative = yield from signs_of_replicated(gates, own, after, lanes)  # 3
    else:
        negative = yield from signs(gates, sums, lanes)
    wide = lanes.wide // PLANE_BITS
    below = yield from gates.all_of(negative.part(wide, negative.size), parts=asked.matched)  # 4
    if terms.is_proved:
        claims = Claims(own, after, lanes, terms.threshold)
        yield from prove_products(seat, claims, rows=rows, asked=asked, masks=masks, random_bytes=random_bytes)  # 5
        yield from prove_ands(gates, triples, random_bytes)
        yield from gates.agreement.settle(seat, random_bytes=random_bytes)
    used = nonsense_used(*asked.views.shape)
    yield from require_honest_signs(gates, negative.part(0, wide), random_bytes, used=used)  # 6
    return _select(gates, gates.negated(below), rows=rows)  # 7


def masked_sums(seat: Seat, *, rows: Rows, asked: Asked, terms: Terms, masks: Masks) -> tuple[Words, Lanes]:
    """
    Return this matcher's summands of all comparisons, and before them those of the query itself; masked.
    """
    weighted = negate_odd(multiply_words(asked.views, weight_at_zero(seat.index)))  # (V, D)
    wide = nonsense_words(seat, asked, weighted)
    matched, count = weighted[: asked.matched], rows.padded
    sums = np.empty(wide.size + len(matched) * count, np.uint16)
    sums[: wide.size] = wide
    products = sums[wide.size :].reshape(len(matched), count)
    for start, segment in rows.placed():
        kernels.dot_products(segment.templates, matched, products, start)
    if seat.index == 0:
        products -= np.uint16(terms.threshold % (1 << WORD_BITS))
    for start in range(0, sums.size, _MASK_WORDS):
        part = sums[start : start + _MASK_WORDS]
        kernels.add_mask(part, *masks.words(part.size))
    return sums, Lanes(wide.size, products.size, terms.bits)


def _select(gates: Gates, matched: Shared, *, rows: Rows) -> bytes:
    sums = np.zeros(8 * ALIAS_BYTES, np.uint64)
    for start, segment in rows.placed():
        words = matched.part(start // PLANE_BITS, (start + len(segment.templates)) // PLANE_BITS)
        kernels.select(*words, segment.own, segment.pair, sums)
    answer, other = gates.masks.bits(2)
    answer ^= other
    answer ^= parity_words(sums[:, None])
    return answer.tobytes()
