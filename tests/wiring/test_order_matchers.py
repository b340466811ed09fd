"""
Orders to all matchers go out in the right order, are signed, and count only where the matcher has confirmed them.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from handsel.config import IssuerConfig
from handsel.errors import GalleryInUse, SignatureInvalid
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.keys import PartyKeys, verify_signature
from handsel.matching.message import MATCHERS, Confirmation, Order
from handsel.wiring import order_matchers
from handsel.wiring.order_matchers import renew, restore

ISSUER = PartyKeys.generate()
KEYS = {name: PartyKeys.generate() for name in MATCHERS}


class Asked:
    """
    Stand for three matchers; `refuses` names one that does, `lies` one that confirms something else.
    """

    orders: ClassVar[list[tuple[str, Order]]] = []
    refuses: ClassVar[str] = ""
    lies: ClassVar[str] = ""

    def __init__(self, _: object) -> None:
        self.is_closed = False

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        """
        Note an order, and confirm it.
        """
        verify_signature(order, signature, signer=ISSUER.public())
        asked = msgspec.msgpack.decode(order, type=Order)
        self.orders.append((matcher, asked))
        if matcher == self.refuses:
            raise GalleryInUse("it holds rows")
        enrolment_id = "0" * 32 if matcher == self.lies else asked.enrolment_id
        said = msgspec.msgpack.encode(Confirmation(asked.kind, enrolment_id, matcher, 1))
        return SignedConfirmation(said, KEYS[matcher].signature(said))

    def close(self) -> None:
        """
        Hang up.
        """


class Party:
    """
    Hold what is read of a matcher's settings.
    """

    def __init__(self, keys: PartyKeys) -> None:
        self.keys = keys.public()


class Settings:
    """
    Hold what is read of an issuer's settings.
    """

    def __init__(self) -> None:
        self.matchers: dict[str, object] = {}
        self.parties = self
        self.parties.matchers = {name: Party(keys) for name, keys in KEYS.items()}


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    An issuer's directory, and three matchers that note what they are asked.
    """
    ISSUER.save(tmp_path / "identity.key")
    monkeypatch.setattr(Asked, "orders", [])
    monkeypatch.setattr(order_matchers, "HttpMatcherOrders", Asked)
    monkeypatch.setattr(order_matchers, "load_config", lambda *_, **__: Settings())
    return tmp_path / "config.toml"


def test_all_three_are_ordered_to_renew(issuer: Path) -> None:
    renew(issuer)

    assert [name for name, _ in Asked.orders] == list(MATCHERS)
    first = Asked.orders[0][1]
    assert all(order == first for _, order in Asked.orders)
    assert (first.kind, first.matcher) == ("renew", "")
    assert first.at_ms > 0


def test_who_lost_its_rows_is_asked_first(issuer: Path) -> None:
    restore(issuer, "b")

    assert [name for name, _ in Asked.orders] == ["b", "a", "c"]
    assert {(order.kind, order.matcher) for _, order in Asked.orders} == {("restore", "b")}


def test_where_it_refuses_nobody_else_is_asked(issuer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asked, "refuses", "c")

    with pytest.raises(GalleryInUse):
        restore(issuer, "c")
    assert [name for name, _ in Asked.orders] == ["c"]


def test_confirmation_of_another_order_is_none(issuer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asked, "lies", "b")

    with pytest.raises(SignatureInvalid):
        renew(issuer)


def test_settings_are_an_issuer_s() -> None:
    assert {"matchers", "parties"} <= set(IssuerConfig.__struct_fields__)
