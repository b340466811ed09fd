"""
A purchase ends once, and forgets what made its notes.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.ids import new_id
from handsel.pay.held_note import Purchase, PurchaseStatus, Redemption
from handsel.pay.money import Money

ORDERED = Purchase(new_id(), new_id(), Money(1, "EUR"), b"secrets", 1)


def test_a_purchase_ends_once_and_forgets_its_secrets() -> None:
    for ended, status in ((ORDERED.signed(), PurchaseStatus.SIGNED), (ORDERED.declined(), PurchaseStatus.DECLINED)):
        assert (ended.status, ended.secrets) == (status, b"")
        for end in (ended.signed, ended.declined):
            with pytest.raises(InvariantBroken):
                end()


def test_ids_are_ids() -> None:
    with pytest.raises(BodyInvalid):
        Redemption("short")
    with pytest.raises(BodyInvalid):
        Purchase("short", new_id(), Money(1, "EUR"), b"", 1)


def test_secrets_are_not_shown() -> None:
    assert "secrets" not in repr(ORDERED)
