"""
Promise that a shop and an issuer make the same tag, and that who knows only the shop's public key cannot.
"""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from handsel.errors import BodyInvalid
from handsel.naming import naming_key_of, naming_tag

SHOP, ISSUER, OTHER = (letter * 32 for letter in (b"s", b"i", b"o"))
CHARGE, OTHER_CHARGE = "c1" * 16, "c2" * 16


def test_both_sides_make_the_same_tag() -> None:
    made = naming_tag(ISSUER, other=naming_key_of(SHOP), order_id=CHARGE)

    assert naming_tag(SHOP, other=naming_key_of(ISSUER), order_id=CHARGE) == made
    assert len(made) == 16


def test_the_tag_is_that_of_another_implementation() -> None:
    """
    Computed from what RFC 7748 and RFC 2104 say, with the charge's id in bytes.
    """
    shared = X25519PrivateKey.from_private_bytes(SHOP).exchange(
        X25519PublicKey.from_public_bytes(naming_key_of(ISSUER))
    )
    expected = hmac.new(shared, b"handsel/v1/naming\0" + bytes.fromhex(CHARGE), hashlib.sha256).digest()[:16]

    assert naming_tag(SHOP, other=naming_key_of(ISSUER), order_id=CHARGE) == expected


def test_another_shop_another_charge_and_who_knows_the_public_keys_make_other_tags() -> None:
    made = naming_tag(ISSUER, other=naming_key_of(SHOP), order_id=CHARGE)

    for other in (
        naming_tag(OTHER, other=naming_key_of(ISSUER), order_id=CHARGE),
        naming_tag(OTHER, other=naming_key_of(SHOP), order_id=CHARGE),
        naming_tag(naming_key_of(SHOP), other=naming_key_of(ISSUER), order_id=CHARGE),
        naming_tag(SHOP, other=naming_key_of(ISSUER), order_id=OTHER_CHARGE),
    ):
        assert other != made


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), (1).to_bytes(32, "little")])
def test_a_key_with_which_nothing_can_be_had_in_common_is_refused(key: bytes) -> None:
    with pytest.raises(BodyInvalid):
        naming_tag(ISSUER, other=key, order_id=CHARGE)
