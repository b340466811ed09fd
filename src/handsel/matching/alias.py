"""
Split a wallet's alias into what the three matchers keep of it.

Runs at the issuer, so it knows no array. One part alone is random; any two parts together are the alias.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from handsel.errors import ensure
from handsel.matching.message import ALIAS_BYTES

RandomBytes = Callable[[int], bytes]


class AliasPart(NamedTuple):
    """
    Hold one matcher's part: `own` is p_i and `pair` is p_i ^ p_(i+1), as `message.AliasShare` carries them.
    """

    own: bytes
    pair: bytes


def split_alias(alias: bytes, *, random_bytes: RandomBytes = os.urandom) -> tuple[AliasPart, AliasPart, AliasPart]:
    """
    Return the parts of `alias` = p_a ^ p_b ^ p_c for matcher a, b and c.

    Raises `InvariantBroken` for an alias of zeros, which stands for "no row matched", or of another length.
    """
    ensure(len(alias) == ALIAS_BYTES and any(alias), "an alias is 16 bytes that are not all zero")
    p_a, p_b = random_bytes(ALIAS_BYTES), random_bytes(ALIAS_BYTES)
    p_c = _xor(alias, _xor(p_a, p_b))
    return AliasPart(p_a, _xor(p_a, p_b)), AliasPart(p_b, _xor(p_b, p_c)), AliasPart(p_c, _xor(p_c, p_a))


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
