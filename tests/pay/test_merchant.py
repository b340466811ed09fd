"""
Merchants and tills have names that can be shown, and secrets that cannot be told from what is stored.
"""

from __future__ import annotations

import hashlib

import pytest

from handsel.errors import BodyInvalid
from handsel.pay.merchant import NAME_CHARS_MAX, Merchant, Till, hash_secret


@pytest.mark.parametrize("merchant_id", ["a", "corner-cafe", "cafe_2", "a" * 40])
def test_a_merchant_has_an_id_that_accounts_can_carry(merchant_id: str) -> None:
    assert Merchant(merchant_id, "Café").id == merchant_id


@pytest.mark.parametrize("merchant_id", ["", "-a", "Cafe", "a/b", "a:b", "a" * 41])
def test_other_ids_are_refused(merchant_id: str) -> None:
    with pytest.raises(BodyInvalid):
        Merchant(merchant_id, "Café")


def test_names_have_bounds() -> None:
    assert Till("cafe", "x" * NAME_CHARS_MAX).name

    for name in ("", "x" * (NAME_CHARS_MAX + 1), "a\nb"):
        with pytest.raises(BodyInvalid):
            Merchant("cafe", name)
        with pytest.raises(BodyInvalid):
            Till("cafe", name)


def test_two_merchants_tills_of_one_name_are_two() -> None:
    assert Till("cafe", "till-1").id != Till("bakery", "till-1").id


def test_a_secret_is_stored_as_its_sha256() -> None:
    assert hash_secret("key") == hashlib.sha256(b"handsel/v1/secret\0key").digest()
