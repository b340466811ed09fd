"""
Merchants and tills are known by what only they have, and that is stored nowhere.
"""

from __future__ import annotations

import pytest

from handsel.errors import AccessDenied, BodyInvalid, NotFound
from handsel.flows.acquiring.request_payment import PaymentRequest, create_payment_intent
from handsel.flows.acquiring.sign_in import (
    find_till,
    register_merchant,
    register_till,
    revoke_others,
    sign_in_merchant,
)
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from tests.flows.acquiring.street import SHOP, SHOP_KEY, TILL, TILL_TOKEN, Street


def test_a_merchant_signs_in_with_its_key(street: Street) -> None:
    assert sign_in_merchant(street.acquirer, SHOP_KEY) == SHOP


def test_a_till_is_found_by_its_token(street: Street) -> None:
    assert find_till(street.acquirer, TILL_TOKEN) == TILL


@pytest.mark.parametrize("secret", ["", "x" * 64])
def test_whoever_shows_something_else_is_turned_away(street: Street, secret: str) -> None:
    with pytest.raises(AccessDenied):
        sign_in_merchant(street.acquirer, secret)
    with pytest.raises(AccessDenied):
        find_till(street.acquirer, secret)


def test_a_key_is_no_token_and_a_token_is_no_key(street: Street) -> None:
    with pytest.raises(AccessDenied):
        sign_in_merchant(street.acquirer, TILL_TOKEN)
    with pytest.raises(AccessDenied):
        find_till(street.acquirer, SHOP_KEY)


def test_a_new_key_takes_the_place_of_the_old_one(street: Street) -> None:
    renamed = Merchant(SHOP.id, "Corner Bar")
    register_merchant(street.acquirer, renamed, key="n" * 64)
    register_till(street.acquirer, TILL, token="m" * 64)

    assert sign_in_merchant(street.acquirer, "n" * 64) == renamed
    assert find_till(street.acquirer, "m" * 64) == TILL
    with pytest.raises(AccessDenied):
        sign_in_merchant(street.acquirer, SHOP_KEY)
    with pytest.raises(AccessDenied):
        find_till(street.acquirer, TILL_TOKEN)


def test_who_is_no_longer_listed_is_not_let_in(street: Street) -> None:
    other = Till(SHOP.id, "till-2")
    register_till(street.acquirer, other, token="o" * 64)

    revoke_others(street.acquirer, merchants=[SHOP], tills=[other])

    assert sign_in_merchant(street.acquirer, SHOP_KEY) == SHOP
    assert find_till(street.acquirer, "o" * 64) == other
    with pytest.raises(AccessDenied):
        find_till(street.acquirer, TILL_TOKEN)
    revoke_others(street.acquirer, merchants=[], tills=[])
    with pytest.raises(AccessDenied):
        sign_in_merchant(street.acquirer, SHOP_KEY)
    register_till(street.acquirer, TILL, token=TILL_TOKEN)
    assert find_till(street.acquirer, TILL_TOKEN) == TILL


def test_what_a_struck_till_was_the_first_of_is_shown_by_the_next(street: Street) -> None:
    other = Till(SHOP.id, "till-2")
    register_till(street.acquirer, other, token="o" * 64)
    revoke_others(street.acquirer, merchants=[SHOP], tills=[other])

    asked = PaymentRequest("a" * 32, Money(450, "EUR"))
    payment = create_payment_intent(street.acquirer, SHOP, asked, now_ms=1)

    assert payment.till_id == other.id


def test_a_short_secret_is_refused(street: Street) -> None:
    register_till(street.acquirer, TILL, token="s" * 32)

    with pytest.raises(BodyInvalid):
        register_till(street.acquirer, TILL, token="s" * 31)
    with pytest.raises(BodyInvalid):
        register_merchant(street.acquirer, SHOP, key="s" * 31)


def test_no_two_have_the_same_secret(street: Street) -> None:
    register_merchant(street.acquirer, SHOP, key=SHOP_KEY)
    register_till(street.acquirer, TILL, token=TILL_TOKEN)

    with pytest.raises(BodyInvalid):
        register_merchant(street.acquirer, Merchant("bakery", "Bakery"), key=SHOP_KEY)
    with pytest.raises(BodyInvalid):
        register_till(street.acquirer, Till(SHOP.id, "till-2"), token=TILL_TOKEN)


def test_a_till_belongs_to_a_merchant(street: Street) -> None:
    with pytest.raises(NotFound):
        register_till(street.acquirer, Till("nobody", "till-1"), token="s" * 64)


@pytest.mark.sqlite
def test_keys_and_tokens_are_not_stored(street: Street) -> None:
    street.database.close()

    stored = b"".join(path.read_bytes() for path in (street.directory / "acquirer").iterdir())

    assert b"corner-cafe" in stored
    assert SHOP_KEY[:8].encode() not in stored and TILL_TOKEN[:8].encode() not in stored
