"""
Promise that a reference is found in whatever a sender wrote, and that a mistyped one is nobody's.
"""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from handsel.bank.reference import find_reference, looks_like_reference, new_reference, parse_reference
from handsel.errors import BodyInvalid

bits = st.binary(min_size=8, max_size=8)


@given(bits)
def test_a_reference_is_one_by_iso_11649(random: bytes) -> None:
    assert iso11649.is_valid(new_reference(lambda _: random))


@given(bits, st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_found(random: bytes, place: int, char: str) -> None:
    """
    A letter for a letter, a digit for a digit. One for the other gets past in one of 97 cases, and is then nobody's.
    """
    made = new_reference(lambda _: random)
    wrong = made[:place] + char + made[place + 1 :]

    if wrong != made and char.isdigit() == made[place].isdigit():
        assert find_reference(wrong) is None
        with pytest.raises(BodyInvalid):
            parse_reference(wrong)


@given(bits, st.text(alphabet="abcdefg .,/", max_size=20), st.text(alphabet="hijk .,/", max_size=20))
def test_a_reference_is_found_in_a_sentence(random: bytes, before: str, after: str) -> None:
    made = new_reference(lambda _: random)
    spaced = " ".join(made[at : at + 4] for at in range(0, len(made), 4)).lower()

    assert find_reference(f"{before} {spaced} {after}") == made


def test_two_references_are_none() -> None:
    one, other = new_reference(secrets.token_bytes), new_reference(secrets.token_bytes)

    assert find_reference(f"{one} {other}") is None
    assert find_reference(f"{one} {one}") == one


def test_a_try_is_told_from_none() -> None:
    assert looks_like_reference("rf12 3456")
    assert not looks_like_reference("for my wallet")
