"""
Say which PINs a customer may choose. The module keeps none and compares none.

The digits that are refused are those that thieves try first: rows, repetitions, few different digits. Nobody is told
which rule a PIN broke, since that would narrow it down for who reads along.
"""

from __future__ import annotations

from itertools import pairwise

from handsel.errors import BodyInvalid
from handsel.limits import PIN_DIGITS_MAX

DISTINCT_MIN = 3


def require_pin(typed: str, *, digits_min: int) -> str:
    """
    Return `typed` if it may be a PIN. Raises `BodyInvalid`, which says nothing of the digits.
    """
    if not typed.isascii() or not typed.isdigit() or not digits_min <= len(typed) <= PIN_DIGITS_MAX:
        raise BodyInvalid(f"a PIN has {digits_min} to {PIN_DIGITS_MAX} digits and nothing else")
    if is_easily_guessed(typed):
        raise BodyInvalid("this PIN is among the first that others would try: choose another one")
    return typed


def is_easily_guessed(pin: str) -> bool:
    """
    Return whether a PIN has fewer than three different digits, is a row as 123456 or 864208, repeats itself as 123123,
    mirrors a row as 123321, or doubles one as 112233.
    """
    half = len(pin) // 2
    if len(set(pin)) < DISTINCT_MIN or _is_row(pin):
        return True
    if any(pin == pin[:length] * (len(pin) // length) for length in range(1, half + 1)):
        return True
    return (_is_row(pin[: len(pin) - half]) and pin == pin[::-1]) or (_is_row(pin[::2]) and pin[::2] == pin[1::2])


def _is_row(digits: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return len(steps) == 1
