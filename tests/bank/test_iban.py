"""
Promise that an account's number is one, and stands in no message.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.bank.iban import Iban, parse_iban
from handsel.errors import BodyInvalid

# The examples of the IBAN registry: https://www.swift.com/standards/data-standards/iban
REGISTRY = ["DE89370400440532013000", "AT611904300234573201", "NL91ABNA0417164300", "NO9386011117947"]


@pytest.mark.parametrize("text", REGISTRY)
def test_an_iban_of_the_registry_is_understood_however_it_is_spaced(text: str) -> None:
    assert parse_iban(f" {Iban(text).spelled.lower()} ") == Iban(text)


@pytest.mark.parametrize("text", REGISTRY)
def test_one_wrong_digit_is_found(text: str) -> None:
    wrong = text[:-1] + str((int(text[-1]) + 1) % 10)

    with pytest.raises(BodyInvalid) as refused:
        parse_iban(wrong)
    assert wrong[4:] not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "DE", "DE89", "XX89370400440532013000", "DE8937040044053201300", "é" * 22, "1" * 65]
)
def test_what_is_no_iban_is_refused(text: str) -> None:
    with pytest.raises(BodyInvalid):
        parse_iban(text)


def test_nothing_but_the_last_four_is_shown() -> None:
    iban = Iban(REGISTRY[0])

    assert iban.hint == "…3000"
    assert REGISTRY[0] not in repr(iban)


@given(st.text(max_size=70))
def test_no_text_gets_through_but_an_iban(text: str) -> None:
    with contextlib.suppress(BodyInvalid):
        assert parse_iban(text).text.isalnum()
