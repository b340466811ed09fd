"""
Promise that an amount of money is whole, not below zero, and read and written without rounding.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import BodyInvalid
from handsel.pay.money import AMOUNT_MINOR_MAX, MINOR_DIGITS, Money, parse_amount, require_positive, sum_money


@pytest.mark.parametrize(
    ("text", "minor"),
    [("4.50", 450), ("4,50", 450), ("4", 400), ("4,5", 450), ("0.05", 5), ("0", 0), (" 12.00 ", 1200), ("007", 700)],
)
def test_amounts_are_read_as_people_write_them(text: str, minor: int) -> None:
    assert parse_amount(text, currency="EUR") == Money(minor, "EUR")


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "4.505", "4.", ".50", "1.000,00", "1 000", "4€", "1e3", "٤", "nan", "9" * 14]
)
def test_what_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(BodyInvalid):
        parse_amount(text, currency="EUR")


def test_a_currency_without_minor_units_has_no_digits_after_the_point() -> None:
    assert Money(450, "JPY") == parse_amount("450", currency="JPY")
    assert str(Money(450, "JPY")) == "450 JPY"
    with pytest.raises(BodyInvalid):
        parse_amount("4.5", currency="JPY")


def test_money_is_written_with_its_currency() -> None:
    assert str(Money(450, "EUR")) == "4.50 EUR"
    assert str(Money(5, "EUR")) == "0.05 EUR"


@given(st.integers(0, AMOUNT_MINOR_MAX), st.sampled_from(sorted(MINOR_DIGITS)))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert parse_amount(str(money).split()[0], currency=currency) == money


@pytest.mark.parametrize("minor", [-1, AMOUNT_MINOR_MAX + 1, True, 4.5, "4"])
def test_an_amount_is_a_whole_number_within_bounds(minor: int) -> None:
    with pytest.raises(BodyInvalid):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "XXX"])
def test_a_currency_is_one_that_is_known(currency: str) -> None:
    with pytest.raises(BodyInvalid):
        Money(1, currency)


def test_only_more_than_zero_is_positive() -> None:
    assert require_positive(Money(1, "EUR")) == Money(1, "EUR")
    with pytest.raises(BodyInvalid):
        require_positive(Money(0, "EUR"))


def test_a_sum_is_in_one_currency() -> None:
    assert sum_money((Money(1, "EUR"), Money(2, "EUR")), currency="EUR") == Money(3, "EUR")
    assert sum_money((), currency="EUR") == Money(0, "EUR")
    with pytest.raises(BodyInvalid):
        sum_money((Money(1, "EUR"), Money(2, "CHF")), currency="EUR")
