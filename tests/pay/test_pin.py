"""
Promise which PINs may be chosen: long enough, digits only, and none of those that others try first.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import BodyInvalid
from handsel.pay.pin import is_easily_guessed, require_pin

GOOD = ["402917", "9073", "128364", "281904837261"]
FIRST_TRIED = ["000000", "123456", "654321", "789012", "864208", "121212", "123123", "123321", "112233", "1111", "1212"]


@pytest.mark.parametrize("pin", GOOD)
def test_a_good_pin_may_be_chosen(pin: str) -> None:
    assert require_pin(pin, digits_min=4) == pin


@pytest.mark.parametrize("pin", FIRST_TRIED)
def test_what_others_would_try_first_is_refused_without_a_word_of_it(pin: str) -> None:
    with pytest.raises(BodyInvalid) as refused:
        require_pin(pin, digits_min=4)
    assert pin not in str(refused.value)


@pytest.mark.parametrize(
    "typed", ["", "40291", "4029170000000", "40291a", "402 917", "４０２９１７", "-40291", "402917\n"]
)
def test_what_is_too_short_too_long_or_no_digits_is_refused(typed: str) -> None:
    with pytest.raises(BodyInvalid):
        require_pin(typed, digits_min=6)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(4, 12))
def test_every_row_is_refused_wherever_it_begins(first: int, step: int, length: int) -> None:
    assert is_easily_guessed("".join(str((first + at * step) % 10) for at in range(length)))


def test_of_all_six_digits_few_are_refused() -> None:
    looked_at = range(0, 1_000_000, 101)
    refused = sum(is_easily_guessed(f"{number:06d}") for number in looked_at)

    assert 0.001 < refused / len(looked_at) < 0.01
