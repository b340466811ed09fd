"""
Promises of an alias's parts.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from handsel.errors import InvariantBroken
from handsel.matching.alias import split_alias


def _xor(*parts: bytes) -> bytes:
    return bytes(a ^ b ^ c for a, b, c in zip(*parts, strict=True))


def test_three_parts_give_the_alias_back() -> None:
    alias = os.urandom(16)

    assert alias == _xor(*(part.own for part in split_alias(alias)))


def test_pair_is_own_and_the_next_one_s_own() -> None:
    a, b, c = split_alias(os.urandom(16))

    for part, after in ((a, b), (b, c), (c, a)):
        assert part.pair == _xor(part.own, after.own, bytes(16))


def test_part_of_one_matcher_does_not_depend_on_the_alias_alone() -> None:
    alias = os.urandom(16)

    for first, second in zip(split_alias(alias), split_alias(alias), strict=True):
        assert first.own != second.own


def test_randomness_is_what_was_passed_in() -> None:
    a, b, c = split_alias(b"\x01" * 16, random_bytes=lambda count: b"\x02" * count)

    assert (a.own, b.own, c.own) == (b"\x02" * 16, b"\x02" * 16, b"\x01" * 16)


@pytest.mark.parametrize("alias", [bytes(16), b"", bytes([1] * 15), bytes([1] * 17)])
def test_alias_of_zeros_or_of_another_length_is_refused(alias: bytes) -> None:
    with pytest.raises(InvariantBroken):
        split_alias(alias)


def test_the_issuer_s_part_loads_no_array_library() -> None:
    program = "import sys, handsel.matching.alias; print('numpy' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
