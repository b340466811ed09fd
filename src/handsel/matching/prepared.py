"""
Prepare what a proved query needs, before there is one: random words with their bits, and ANDs of random bits, proved.

1. For each comparison a random word, of which each summand is known to two; its bits are shared (`convert.py`).
2. For each carry that a query will compute, a random bit to hide it, and that bit's AND with the random word's.
3. For each two views that a query will join, two random bits and their AND.
4. All ANDs that this took are proved (`triples.py`).

The query then opens each comparison less its random word, and adds that word again bit by bit; of each AND only a
hidden carry is opened. So it sends little more than one whose matchers trust each other, and who cheats while it runs
tells others something different, or adds something to a comparison, which `proof.py` finds.

What is prepared serves one query: bits that were used twice would tell what they hid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from handsel.matching.convert import Lanes, bits_of_sums, open_sums
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Product, Shared, join, tops
from handsel.matching.kernels import PLANE_BITS
from handsel.matching.masks import Masks
from handsel.matching.ring import Words
from handsel.matching.triples import prove_products

WORDS_AT_ONCE = 1 << 20  # Of ANDs: two triples prove one of so many, and of fewer, three or more.


@dataclass(frozen=True)
class Shape:
    """
    Say how many comparisons a query has in which `lanes`, and that those of `matched` views are joined in the end.
    """

    lanes: Lanes
    matched: int

    @property
    def width(self) -> int:
        """
        Return the number of comparisons of one view.
        """
        return self.lanes.narrow // self.matched

    @property
    def joined(self) -> int:
        """
        Return how many words of ANDs join the views.
        """
        return (self.matched - 1) * self.width // PLANE_BITS

    @property
    def ands(self) -> int:
        """
        Return how many words of ANDs are proved for it.
        """
        sizes = self.lanes.sizes
        return sum(sizes[1:]) + 2 * sum(sizes[2:]) + self.joined

    def holds(self, other: Shape) -> bool:
        """
        Return whether a query of the `other` shape can be padded to this one.
        """
        is_alike = (self.matched, self.lanes.bits) == (other.matched, other.lanes.bits)
        return is_alike and self.lanes.wide >= other.lanes.wide and self.width >= other.width

    def times(self, count: int) -> Shape:
        """
        Return the shape of so many queries at once.
        """
        return Shape(Lanes(self.lanes.wide * count, self.lanes.narrow * count, self.lanes.bits), self.matched)

    def parts(self) -> list[Shape]:
        """
        Return shapes that hold this one together: as few ANDs as need the fewest triples each, to be proved at once.
        """
        count = max(1, self.ands // WORDS_AT_ONCE)
        wide, width = (_share(size, count) for size in (self.lanes.wide, self.width))
        return [Shape(Lanes(wide, width * self.matched, self.lanes.bits), self.matched)] * count


def _share(size: int, count: int) -> int:
    return -(-size // (count * PLANE_BITS)) * PLANE_BITS


@dataclass(frozen=True, repr=False)
class Prepared:
    """
    Hold a random word for each comparison, as this matcher's summand and the next one's, and as shared planes.

    `carries` are, from the second plane on, the random word's bits, the bits that hide its carries, and their AND;
    `joining` are random bits and their AND.
    """

    shape: Shape
    own: Words
    after: Words
    planes: list[Shared]
    carries: list[Product]
    joining: Product

    @classmethod
    def joined(cls, parts: Sequence[Prepared]) -> Prepared:
        """
        Return what was prepared in parts of one shape.
        """
        if len(parts) == 1:
            return parts[0]
        shape, wide = parts[0].shape.times(len(parts)), parts[0].shape.lanes.wide

        def words(each: Sequence[Words]) -> Words:
            return np.concatenate([*(part[:wide] for part in each), *(part[wide:] for part in each)])

        def plane(each: Sequence[Shared]) -> Shared:
            end = min(wide // PLANE_BITS, each[0].size)
            return join([*(part.part(0, end) for part in each), *(part.part(end, part.size) for part in each)])

        return cls(
            shape,
            words([part.own for part in parts]),
            words([part.after for part in parts]),
            [plane(each) for each in zip(*(part.planes for part in parts), strict=True)],
            [_product(plane, each) for each in zip(*(part.carries for part in parts), strict=True)],
            _product(join, [part.joining for part in parts]),
        )

    def cut(self, count: int) -> list[Prepared]:
        """
        Return what is prepared for `count` queries of one shape, for each of them.
        """
        lanes = self.shape.lanes
        one = Shape(Lanes(lanes.wide // count, lanes.narrow // count, lanes.bits), self.shape.matched)
        return [self._of(one, number) for number in range(count)]

    def _of(self, one: Shape, number: int) -> Prepared:
        wide, narrow, at = one.lanes.wide, one.lanes.narrow, self.shape.lanes.wide

        def words(whole: Words) -> Words:
            first, then = number * wide, at + number * narrow
            return np.concatenate([whole[first : first + wide], whole[then : then + narrow]])

        def plane(each: Sequence[Shared]) -> Shared:
            whole, first, then = each[0], number * wide, at + number * narrow
            ends = [(first, first + wide), (then, then + narrow)]
            return join([whole.part(start // PLANE_BITS, end // PLANE_BITS) for start, end in ends])

        return Prepared(
            one,
            words(self.own),
            words(self.after),
            [plane([whole]) for whole in self.planes],
            [_product(plane, [whole]) for whole in self.carries],
            self.joining.part(number * one.joined, (number + 1) * one.joined),
        )


def _product(of: Callable[[Sequence[Shared]], Shared], products: Sequence[Product]) -> Product:
    return Product(*(of(planes) for planes in zip(*products, strict=True)))


def prepare(seat: Seat, shape: Shape, masks: Masks, random_bytes: Callable[[int], bytes]) -> Dialogue[Prepared]:
    """
    Prepare a query of a shape, or of a somewhat larger one; it is proved. Raises `PeerCheated`.
    """
    parts = []
    for part in shape.parts():
        parts.append((yield from _prepare(Gates(seat, masks, kept=part.ands), part, random_bytes)))
    return Prepared.joined(parts)


def _prepare(gates: Gates, shape: Shape, random_bytes: Callable[[int], bytes]) -> Dialogue[Prepared]:
    lanes, size = shape.lanes, shape.lanes.wide + shape.lanes.narrow
    own, after = np.empty(size, np.uint16), np.empty(size, np.uint16)
    gates.masks.before.fill(own)
    gates.masks.after.fill(after)
    planes = yield from bits_of_sums(gates, own, after, lanes)
    factors = [plane.part(0, left) for plane, left in zip(planes[1:], lanes.sizes[2:], strict=False)]
    ends = list(accumulate((factor.size for factor in factors), initial=0))
    x = join([*factors, gates.random(shape.joined)])
    y = gates.random(x.size)
    z = yield from gates.multiply(x, y)
    yield from prove_products(gates, gates.products(), random_bytes)
    whole = Product(x, y, z)
    carries = [whole.part(start, end) for start, end in pairwise(ends)]
    return Prepared(shape, own, after, planes, carries, whole.part(ends[-1], x.size))


def signs_by(gates: Gates, summands: Words, prepared: Prepared) -> Dialogue[tuple[Words, Words, Shared]]:
    """
    Return the sums of all three's `summands` as what two hold of each summand, and their top bits.

    The sums are those of what was opened and the prepared words: who has added something has added it to both.
    """
    lanes, seat = prepared.shape.lanes, gates.seat
    opened = yield from open_sums(gates, summands - prepared.own)
    public, sizes = lanes.cut(lanes.planes(opened)), lanes.sizes
    found = [gates.with_public(plane, bits) for plane, bits in zip(prepared.planes, public, strict=True)]
    left = sizes[1]
    carry = Shared(*(share[:left] & public[0][:left] for share in prepared.planes[0]))
    for number, (bits, product) in enumerate(zip(public[1:], [*prepared.carries, None], strict=False), 1):
        found[number] = found[number] ^ carry
        if product is not None:
            size = product.x.size
            carry = yield from gates.next_carry(bits[:size], carry.part(0, size), product)
    own = prepared.own + opened if seat.me == "a" else prepared.own
    after = prepared.after + opened if seat.me == "c" else prepared.after
    return own, after, tops(found)
