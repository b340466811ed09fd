"""
What carries a key or a code over HTTP does not print it.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.web import merchant_pages, till_pages, wallet_api, wallet_pages

SECRET = "0123456789abcdef"


@pytest.mark.parametrize(
    "carrier",
    [
        wallet_api.OpenedBody(SECRET),
        wallet_api.CodeBody("done", SECRET),
        wallet_pages.KeyFields(SECRET),
        wallet_pages.KeyView(SECRET),
        merchant_pages.KeyFields(SECRET),
        till_pages.CodeBody(SECRET),
    ],
    ids=["wallet key", "code", "typed wallet key", "shown wallet key", "merchant key", "typed code"],
)
def test_no_key_or_code_shows_in_a_repr(carrier: msgspec.Struct) -> None:
    """
    A repr ends up in a log or in a traceback sooner or later.
    """
    assert SECRET not in repr(carrier)
