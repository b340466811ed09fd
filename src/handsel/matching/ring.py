"""
Hold the arithmetic of the Galois ring GR(2^16, 2) = Z_2^16[X] / (X² + X + 1), and Shamir's weights in it.

An element c0 + c1·X is two words of 16 bits. Modulo 2 the ring is the field of four elements, so three points (1, X and
X + 1) and zero have differences that are all units: that is what lets three matchers share a word modulo 2^16 in a word
each. Knows nothing of palms.

Source: Abspoel, Cramer, Damgård, Escudero, Yuan, "Efficient Information-Theoretic Secure Multiparty Computation over
Z/p^k via Galois Rings", TCC 2019.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Element = tuple[int, int]
Words = NDArray[np.uint16]

MODULUS = 1 << 16
ZERO: Element = (0, 0)
ONE: Element = (1, 0)
POINTS: tuple[Element, ...] = ((1, 0), (0, 1), (1, 1))  # Of matcher a, b, c.


def multiply(a: Element, b: Element) -> Element:
    """
    Return a·b. X² is -X - 1.
    """
    return ((a[0] * b[0] - a[1] * b[1]) % MODULUS, (a[0] * b[1] + a[1] * b[0] - a[1] * b[1]) % MODULUS)


def subtract(a: Element, b: Element) -> Element:
    """
    Return a - b.
    """
    return ((a[0] - b[0]) % MODULUS, (a[1] - b[1]) % MODULUS)


def invert(a: Element) -> Element:
    """
    Return 1/a: the conjugate of a over its norm. Raises `ValueError` where a is no unit, that is, where both are even.
    """
    norm = (a[0] * a[0] - a[0] * a[1] + a[1] * a[1]) % MODULUS
    inverse = pow(norm, -1, MODULUS)
    return ((a[0] - a[1]) * inverse % MODULUS, -a[1] * inverse % MODULUS)


def weight_at_zero(index: int) -> Element:
    """
    Return Lagrange's weight of point `index` for the value at zero of a polynomial of degree at most 2.
    """
    weight = ONE
    for other, point in enumerate(POINTS):
        if other != index:
            factor = multiply(subtract(ZERO, point), invert(subtract(POINTS[index], point)))
            weight = multiply(weight, factor)
    return weight


def weight_on_line(index: int, *, at: int) -> Element:
    """
    Return by how much the value of a line at point `index` counts for its value at point `at`, beside the third's.
    """
    third = POINTS[3 - index - at]
    return multiply(subtract(POINTS[at], third), invert(subtract(POINTS[index], third)))


def line_at(point: Element, *, without: int) -> Element:
    """
    Return at `point` the line that is 1 at zero and 0 at point `without`.

    The sum of such lines, each times a secret that all but one matcher hold, is Shamir's sharing of the secrets' sum
    (Cramer, Damgård, Ishai, "Share Conversion, Pseudorandom Secret-Sharing and Applications to Secure Computation",
    TCC 2005).
    """
    return subtract(ONE, multiply(point, invert(POINTS[without])))


def multiply_words(words: Words, element: Element) -> Words:
    """
    Return the words of every ring element of `words`, times `element`.

    The last axis holds the elements, two words each: (…, D) with D even.
    """
    c0, c1 = np.uint16(element[0]), np.uint16(element[1])
    w0, w1 = words[..., 0::2], words[..., 1::2]  # (…, D/2)
    product = np.empty_like(words)
    product[..., 0::2] = w0 * c0 - w1 * c1
    product[..., 1::2] = w0 * c1 + w1 * c0 - w1 * c1
    return product


def add_line(words: Words, slope: Words, point: Element) -> None:
    """
    Add to words (…, D), in place, the line through zero with a slope (…, D), at one of `POINTS`.

    A point's words are 0 or 1, so that nothing is multiplied.
    """
    w0, w1, s0, s1 = words[..., 0::2], words[..., 1::2], slope[..., 0::2], slope[..., 1::2]
    if point == (1, 0):
        words += slope
        return
    w0 -= s1
    w1 += s0
    if point == (0, 1):
        w1 -= s1
    else:
        w0 += s0  # (1, 1)


def product_words(words: Words, others: Words) -> Words:
    """
    Return the sums over all elements of the products of `words` and `others`, (…, D) each: (…, 2).
    """
    w0, w1, o0, o1 = words[..., 0::2], words[..., 1::2], others[..., 0::2], others[..., 1::2]
    low, high = w0 * o0 - w1 * o1, w0 * o1 + w1 * o0 - w1 * o1
    return np.stack([low.sum(-1, dtype=np.uint16), high.sum(-1, dtype=np.uint16)], axis=-1)


def negate_odd(words: Words) -> Words:
    """
    Return `words` with the second word of every element negated.

    The first word of (x0 + x1·X)(q0 - q1·X) is x0·q0 + x1·q1: so two vectors of words, one of them negated like this,
    have their dot product in the first word of their product over the ring.
    """
    negated = words.copy()
    negated[..., 1::2] = -words[..., 1::2]
    return negated
