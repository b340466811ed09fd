"""
Promise that every amount is split into few notes that sum to it.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import BodyInvalid
from handsel.notes.denomination import AMOUNT_MINOR_MAX, DENOMINATIONS, NOTES_MAX, split_amount


@given(st.integers(1, AMOUNT_MINOR_MAX))
def test_the_notes_sum_to_the_amount_and_are_not_many(amount_minor: int) -> None:
    notes = split_amount(amount_minor)

    assert sum(notes) == amount_minor
    assert set(notes) <= set(DENOMINATIONS)
    assert list(notes) == sorted(notes, reverse=True)
    assert len(notes) <= NOTES_MAX


def test_four_fifty_takes_four_notes() -> None:
    assert split_amount(450) == (256, 128, 64, 2)


def test_no_amount_within_the_payment_limit_takes_more_than_twelve_notes() -> None:
    assert max(len(split_amount(amount)) for amount in range(1, 5001)) == 12
    assert len(split_amount(5000)) == 5


@pytest.mark.parametrize("amount_minor", [0, -1, AMOUNT_MINOR_MAX + 1])
def test_an_amount_out_of_bounds_is_refused(amount_minor: int) -> None:
    with pytest.raises(BodyInvalid):
        split_amount(amount_minor)
