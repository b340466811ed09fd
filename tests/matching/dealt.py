"""
Deal galleries and queries among three matchers that need no socket, with all randomness from one seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from handsel.matching.dialogue import Dialogue
from handsel.matching.gates import Shared
from handsel.matching.honest import Asked
from handsel.matching.kernels import PLANE_BITS, Bits
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.message import ALIAS_BYTES, MATCHERS
from handsel.matching.party import Terms, match
from handsel.matching.reference import match_in_clear
from handsel.matching.ring import POINTS, Words, multiply_words, negate_odd
from handsel.matching.rows import Rows, Segment, padded, to_planes
from handsel.matching.scale import comparison_bits, threshold_to_int
from handsel.matching.template import quantise

COSINE = 0.7  # From which a scene's palms match.

Vectors = NDArray[np.int8]
Shares = tuple[Words, Words, Words]


def palms(generator: np.random.Generator, count: int, *, dims: int) -> Vectors:
    """
    Return quantised unit vectors (count, dims) of imagined palms.
    """
    drawn = generator.standard_normal((count, dims))
    return quantise((drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32))


def near(generator: np.random.Generator, vectors: Vectors, *, cosine: float = 0.9) -> Vectors:
    """
    Return for each of vectors (N, D) a palm that is about so near to it.
    """
    others = generator.standard_normal(vectors.shape)
    units = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (vectors.astype(np.float64), others)]
    mixed = cosine * units[0] + np.sqrt(1 - cosine**2) * units[1]
    return quantise((mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32))


class Dealer:
    """
    Split what is to be split, and draw what is to be drawn.
    """

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def words(self, shape: tuple[int, ...]) -> Words:
        """
        Return random words of 16 bits.
        """
        return self.generator.integers(0, 1 << 16, shape, np.uint16)

    def bits(self, shape: tuple[int, ...]) -> Bits:
        """
        Return random words of 64 bits.
        """
        return self.generator.integers(0, 1 << 64, shape, np.uint64, endpoint=False)

    def octets(self, count: int) -> bytes:
        """
        Return random bytes.
        """
        return self.generator.bytes(count)

    def line(self, secret: Words) -> Shares:
        """
        Return Shamir's three shares of words (…, D), of whatever size.
        """
        slope = self.words(secret.shape)
        a, b, c = (secret + multiply_words(slope, point) for point in POINTS)
        return a, b, c

    def shared(self, plane: Bits) -> dict[str, Shared]:
        """
        Return the three matchers' shares of a plane.
        """
        parts = [self.bits(plane.shape), self.bits(plane.shape)]
        parts.append(plane ^ parts[0] ^ parts[1])
        return {name: Shared(parts[index], parts[(index + 1) % 3]) for index, name in enumerate(MATCHERS)}

    def rows(self, gallery: Vectors, aliases: Sequence[bytes]) -> dict[str, Rows]:
        """
        Split a gallery (N, D) among the three matchers.
        """
        count = len(gallery)
        secret = np.zeros((padded(count), gallery.shape[1]), np.uint16)
        secret[:count] = gallery.astype(np.int16).view(np.uint16)
        shares = self.line(secret)
        whole = np.frombuffer(b"".join(aliases), np.uint8).reshape(count, ALIAS_BYTES)
        parts = [self.generator.integers(0, 256, whole.shape, np.uint8) for _ in range(2)]
        parts.append(whole ^ parts[0] ^ parts[1])
        for share in shares:
            share[count:] = 0
        return {
            name: Rows(
                np.zeros((count, 16), np.uint8),
                np.arange(count),
                _segments(shares[index], _alias_planes(parts[index]), _alias_planes(parts[index] ^ parts[index - 2])),
            )
            for index, name in enumerate(MATCHERS)
        }

    def asked(
        self, views: NDArray[np.integer], *, rows: NDArray[np.integer] | None = None, matched: int = 0
    ) -> dict[str, Asked]:
        """
        Return what the three are asked with views (V, D), palms or not; with `rows` in place of the views as rows.
        """
        query, row = (_words(vectors) for vectors in (views, views if rows is None else rows))
        shares = zip(MATCHERS, self.line(negate_odd(query)), self.line(row), strict=True)
        return {name: Asked(view, as_row, matched or len(views)) for name, view, as_row in shares}

    def masks(self) -> dict[str, Masks]:
        """
        Return the masks of one query, by matcher.
        """
        ab, bc, ca = (self.octets(32) for _ in range(3))
        ring = {"a": (ab, ca), "b": (bc, ab), "c": (ca, bc)}
        return {
            name: Masks(after=MaskStream(after), before=MaskStream(before)) for name, (after, before) in ring.items()
        }

    def dialogues(
        self,
        rows: Mapping[str, Rows],
        asked: Mapping[str, Asked],
        terms: Terms,
        *,
        masks: Mapping[str, Masks] | None = None,
    ) -> dict[str, Dialogue[bytes]]:
        """
        Return the three dialogues of one query.
        """
        masks = masks or self.masks()
        return {
            name: match(
                name, rows=rows[name], asked=asked[name], terms=terms, masks=masks[name], random_bytes=self.octets
            )
            for name in MATCHERS
        }


@dataclass(frozen=True)
class Scene:
    """
    Hold a gallery that is dealt, a query whose views are near its first palms, and what the answer is in the clear.
    """

    dealer: Dealer
    aliases: list[bytes]
    rows: dict[str, Rows]
    views: Vectors
    terms: Terms
    expected: bytes

    def dialogues(
        self,
        *,
        rows: Mapping[str, Rows] | None = None,
        asked: Mapping[str, Asked] | None = None,
        masks: Mapping[str, Masks] | None = None,
    ) -> dict[str, Dialogue[bytes]]:
        """
        Return the three dialogues of the query, honest but for what is given in place of something.
        """
        asked = asked or self.dealer.asked(self.views)
        return self.dealer.dialogues(rows or self.rows, asked, self.terms, masks=masks)


def scene(seed: int, *, is_proved: bool, count: int = 70, dims: int = 16, views: int = 2) -> Scene:
    """
    Deal a scene.
    """
    dealer = Dealer(seed)
    gallery = palms(dealer.generator, count, dims=dims)
    aliases, near_ones = [dealer.octets(ALIAS_BYTES) for _ in range(count)], near(dealer.generator, gallery[:views])
    threshold = threshold_to_int(COSINE)
    terms = Terms(threshold, is_proved=is_proved, bits=comparison_bits(threshold, dims=dims))
    expected = match_in_clear(gallery, near_ones, aliases=aliases, threshold=threshold)
    return Scene(dealer, aliases, dealer.rows(gallery, aliases), near_ones, terms, expected)


def xor(parts: Iterable[bytes]) -> bytes:
    """
    Return the XOR of words of 16 bytes.
    """
    total = bytes(ALIAS_BYTES)
    for part in parts:
        total = bytes(one ^ other for one, other in zip(total, part, strict=True))
    return total


def with_share(
    asked: dict[str, Asked], name: str, *, views: Words | None = None, rows: Words | None = None
) -> dict[str, Asked]:
    """
    Return what is asked, with other shares for one of the three.
    """
    mine = asked[name]
    changed = replace(mine, views=mine.views if views is None else views, rows=mine.rows if rows is None else rows)
    return {**asked, name: changed}


def _segments(templates: Words, own: Bits, pair: Bits) -> tuple[Segment, ...]:
    """
    Return rows as several segments: the first 64, none, and all others.
    """
    edges = (0, min(1, len(own)), min(1, len(own)), len(own))
    return tuple(
        Segment(templates[PLANE_BITS * start : PLANE_BITS * end], own[start:end], pair[start:end])
        for start, end in pairwise(edges)
    )


def _alias_planes(parts: NDArray[np.uint8]) -> Bits:
    whole = np.zeros((padded(len(parts)), ALIAS_BYTES), np.uint8)
    whole[: len(parts)] = parts
    return to_planes(whole)


def _words(vectors: NDArray[np.integer]) -> Words:
    return vectors.astype(np.int64).astype(np.uint16)
