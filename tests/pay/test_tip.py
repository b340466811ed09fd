"""
Tips are offered as people expect them, and none is larger than the amount itself.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import BodyInvalid
from handsel.pay.money import Money
from handsel.pay.tip import NO_TIPS, TipChoice, TipOffer

TOTAL_MAX = 200_000


@pytest.mark.parametrize(
    ("minor", "offered"),
    [
        (450, (TipChoice(23, 5), TipChoice(45, 10), TipChoice(68, 15))),  # 22.5 and 67.5: a half is rounded up.
        (1000, (TipChoice(50, 5), TipChoice(100, 10), TipChoice(150, 15))),
        (4, (TipChoice(1, 15),)),  # What is rounded to nothing is not offered.
    ],
)
def test_percents_become_amounts(minor: int, offered: tuple[TipChoice, ...]) -> None:
    assert TipOffer(percents=(5, 10, 15)).choices(Money(minor, "EUR"), total_minor_max=TOTAL_MAX) == offered


def test_amounts_are_offered_as_they_are_where_they_are_not_too_much() -> None:
    offer = TipOffer(amounts_minor=(100, 200, 500))

    assert offer.choices(Money(200, "EUR"), total_minor_max=TOTAL_MAX) == (TipChoice(100), TipChoice(200))


def test_who_offers_none_takes_none() -> None:
    assert NO_TIPS.choices(Money(450, "EUR"), total_minor_max=TOTAL_MAX) == ()
    assert NO_TIPS.most(Money(450, "EUR"), total_minor_max=TOTAL_MAX) == 0


@pytest.mark.parametrize(("minor", "most"), [(450, 450), (100_000, 100_000), (150_000, 50_000), (200_000, 0)])
def test_a_tip_is_at_most_the_amount_and_the_total_what_can_be_paid(minor: int, most: int) -> None:
    assert TipOffer(percents=(10,)).most(Money(minor, "EUR"), total_minor_max=TOTAL_MAX) == most


@given(minor=st.integers(1, TOTAL_MAX), percents=st.sets(st.integers(1, 100), min_size=1, max_size=3))
def test_whatever_is_offered_is_allowed(minor: int, percents: set[int]) -> None:
    offer, amount = TipOffer(percents=tuple(percents)), Money(minor, "EUR")
    most = offer.most(amount, total_minor_max=TOTAL_MAX)

    for choice in offer.choices(amount, total_minor_max=TOTAL_MAX):
        assert 0 < choice.amount_minor <= most
        assert abs(100 * choice.amount_minor - minor * choice.percent) <= 50


@pytest.mark.parametrize(
    ("percents", "amounts"),
    [
        ((10,), (100,)),
        ((0,), ()),
        ((-1,), ()),
        ((101,), ()),
        ((5, 5), ()),
        ((1, 2, 3, 4), ()),
        ((), (0,)),
        ((), (-5,)),
        ((), (1, 1)),
        ((), (1, 2, 3, 4)),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused(percents: tuple[int, ...], amounts: tuple[int, ...]) -> None:
    with pytest.raises(BodyInvalid):
        TipOffer(percents, amounts)
