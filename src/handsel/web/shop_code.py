"""
Write and read the code by which a shop lets a customer have it named on the bank's statement: its name and naming key.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from handsel.errors import BodyInvalid

PREFIX = "handsel-shop-"
CODE_CHARS_MAX = 1000


class ShopCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """
    Carry a shop's name and its naming key.
    """

    shop: str
    naming_key: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "ShopCode()"


def write_shop_code(code: ShopCode) -> str:
    """
    Return the code as a text of letters, digits, hyphens and underscores.
    """
    return PREFIX + urlsafe_b64encode(msgspec.msgpack.encode(code)).decode().rstrip("=")


def read_shop_code(text: str) -> ShopCode:
    """
    Return what stands in a shop's code. Raises `BodyInvalid`.
    """
    typed = "".join(text.split())
    encoded = typed.removeprefix(PREFIX)
    try:
        if encoded == typed or len(typed) > CODE_CHARS_MAX:
            raise ValueError("not a shop's code")
        raw = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return msgspec.msgpack.decode(raw, type=ShopCode)
    except (ValueError, msgspec.MsgspecError) as exc:
        raise BodyInvalid("this is no shop's code: copy all of it, as the shop shows it") from exc
