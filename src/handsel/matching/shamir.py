"""
Open what three matchers hold as Shamir's shares, and draw such shares of what nobody knows.

A sharing is a line over the ring: its value at zero is the secret, its value at a matcher's point the share. Two
points fix a line, so that the third shows whether anybody lied.
"""

from __future__ import annotations

import numpy as np

from handsel.errors import HandselError, PeerCheated
from handsel.matching import kernels
from handsel.matching.dialogue import Dialogue, Seat, exchange, octets_of, words_of
from handsel.matching.masks import Masks
from handsel.matching.message import MATCHERS
from handsel.matching.ring import (
    ONE,
    POINTS,
    Element,
    Words,
    invert,
    line_at,
    multiply,
    subtract,
    weight_at_zero,
)

_NO_LINE = PeerCheated("three shares do not lie on a line: one of the matchers does not tell the truth")


def draw_shares(seat: Seat, masks: Masks, shape: tuple[int, ...], *, hides_first_word: bool = True) -> Words:
    """
    Return this matcher's shares of random elements, two words each along the last axis of `shape`.

    Where the first word is not to be hidden it is zero.
    """
    here, share = POINTS[seat.index], np.zeros(shape, np.uint16)
    for stream, missing in ((masks.after, (seat.index + 2) % 3), (masks.before, (seat.index + 1) % 3)):
        drawn = np.empty(shape, np.uint16)
        stream.fill(drawn)
        if not hides_first_word:
            drawn[..., 0::2] = 0
        add_multiple(drawn, line_at(here, without=missing), share)
    return share


def from_replicated(seat: Seat, own: Words, after: Words) -> Words:
    """
    Return this matcher's share of elements whose first words are x_a + x_b + x_c, of which it holds x_i and x_(i+1).

    own and after (…,) become (…, 2).
    """
    here = POINTS[seat.index]
    share = np.zeros((*own.shape, 2), np.uint16)
    for part, holder in ((own, seat.index), (after, (seat.index + 1) % 3)):
        line = line_at(here, without=(holder + 1) % 3)
        share[..., 0] += part * np.uint16(line[0])
        share[..., 1] += part * np.uint16(line[1])
    return share


def open_shares(seat: Seat, share: Words, *, failure: HandselError = _NO_LINE) -> Dialogue[Words]:
    """
    Return the secrets of shares (…, D), two words an element. Raises `failure` where they do not lie on a line.
    """
    said = yield from exchange(seat, octets_of(share))
    points = [words_of(said[name], share.size).reshape(share.shape) for name in MATCHERS]
    off = _weighted(points, [_leading_weight(index) for index in range(3)])
    if off.any():
        raise failure
    return _weighted(points, [weight_at_zero(index) for index in range(3)])


def _leading_weight(index: int) -> Element:
    """
    Return Lagrange's weight of point `index` for the second-degree coefficient, which a line does not have.
    """
    weight = ONE
    for other, point in enumerate(POINTS):
        if other != index:
            weight = multiply(weight, invert(subtract(POINTS[index], point)))
    return weight


def _weighted(points: list[Words], weights: list[Element]) -> Words:
    total = np.zeros_like(points[0])
    for point, weight in zip(points, weights, strict=True):
        add_multiple(point, weight, total)
    return total


def add_multiple(words: Words, element: Element, total: Words) -> None:
    """
    Add to contiguous words (…, D), two to an element, others times an element.
    """
    low, high = (np.uint16(part) for part in element)
    kernels.add_multiple(words.reshape(-1), low, high, total.reshape(-1))
