"""
Promise that a shop is named where the wallet's owner asked for it, and that nothing is learnt of any other payment.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_person import erase_person
from handsel.flows.issuing.export_wallet import export_wallet
from handsel.flows.issuing.name_shop import SHOP_CHARS_MAX, name_shop, named_shops, stop_naming
from handsel.flows.issuing.show_receipts import show_receipts
from handsel.flows.issuing.take_receipt import take_receipt
from handsel.ids import new_id
from handsel.naming import NAMING_TAGS, naming_key_of, naming_tag
from handsel.receipt import SEALED_BYTES, receipt_id_of
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_receipts import Sealer

CAFES, BAKERS = b"c" * 32, b"b" * 32  # Their secrets.
CAFE, NOBODY = naming_key_of(CAFES), naming_key_of(b"n" * 32)
SEALED = b"s" * SEALED_BYTES[0]


def pay(scene: Scene, secret: bytes, said: str) -> tuple[bool, str]:
    """
    Pay as at a till of the shop with that naming secret; return whether the till had a hit, and the charge.
    """
    till = Sealer.at(scene)
    shown = till.show("ada", 100)
    reply = till.read(scene.charge(shown))
    tag = naming_tag(secret, other=reply.naming_key, order_id=shown.charge_id)
    is_named = tag in reply.naming_tags
    line = till.line(shown.charge_id, tag=tag, said=said) if is_named else till.line(shown.charge_id)
    take_receipt(scene.issuer, receipt_id_of(reply.receipt_key), sealed=SEALED, line=line)
    return is_named, shown.charge_id


def named(scene: Scene, wallet: str) -> set[tuple[str, str]]:
    return {(line.shop, line.description) for line in show_receipts(scene.issuer, wallet) if line.shop}


def rows(scene: Scene, table: str) -> int:
    with scene.issuer.database.unit_of_work() as uow:
        return len(uow.rows(f"SELECT 1 FROM {table}"))  # noqa: S608


def test_a_shop_is_named_from_the_wish_until_it_ends(scene: Scene) -> None:
    wallet = scene.payer("ada")
    assert not pay(scene, CAFES, "Before")[0]
    name_shop(scene.issuer, wallet, shop="Corner Café", naming_key=CAFE)
    name_shop(scene.issuer, wallet, shop="Corner Café", naming_key=CAFE)

    assert pay(scene, CAFES, "Flat white")[0]
    assert not pay(scene, BAKERS, "Bread")[0]

    assert named(scene, wallet) == {("Corner Café", "Flat white")}
    assert [shop.shop for shop in named_shops(scene.issuer, wallet)] == ["Corner Café"]
    assert [line.shop for line in export_wallet(scene.issuer, wallet).named_shops] == ["Corner Café"]
    stop_naming(scene.issuer, wallet, naming_key=CAFE)
    assert not pay(scene, CAFES, "After")[0]
    assert named(scene, wallet) == set()
    assert (rows(scene, "named_shops"), rows(scene, "named_payments")) == (0, 0)


def test_a_line_that_claims_a_shop_without_its_tag_names_nothing(scene: Scene) -> None:
    """
    A till of another shop, one that replays another charge's tag, and who knows only what the shop shows to everybody
    find nothing in the reply, and cannot write on the statement.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    name_shop(scene.issuer, wallet, shop="Corner Café", naming_key=CAFE)
    _, earlier = pay(scene, CAFES, "Flat white")
    for secret, charge_id in ((BAKERS, ""), (CAFES, earlier), (CAFE, "")):
        shown = till.show("ada", 100)
        reply = till.read(scene.charge(shown))
        tag = naming_tag(secret, other=reply.naming_key, order_id=charge_id or shown.charge_id)
        line = till.line(shown.charge_id, tag=tag, said="Bread")
        assert tag not in reply.naming_tags
        take_receipt(scene.issuer, receipt_id_of(reply.receipt_key), sealed=SEALED, line=line)

    assert named(scene, wallet) == {("Corner Café", "Flat white")}


def test_somebody_elses_wish_names_nothing_of_mine(scene: Scene) -> None:
    wallet, other = scene.payer("ada"), scene.wallet()
    name_shop(scene.issuer, other, shop="Corner Café", naming_key=CAFE)

    assert not pay(scene, CAFES, "Flat white")[0]
    assert named(scene, wallet) == set()


def test_the_tags_of_a_reply_look_alike_however_many_shops_are_named(scene: Scene) -> None:
    """
    As many, as long, in order of their bytes: none stands out, and none comes twice.
    """
    wallet, till = scene.payer("ada"), Sealer.at(scene)
    tags = []
    for count in range(NAMING_TAGS + 1):
        if count:
            name_shop(scene.issuer, wallet, shop=f"Shop {count}", naming_key=naming_key_of(bytes([count]) * 32))
        tags.append(till.read(scene.charge(till.show("ada", 1))).naming_tags)

    assert {len(each) for each in tags} == {NAMING_TAGS}
    assert all(list(each) == sorted(each) for each in tags)
    assert len({tag for each in tags for tag in each}) == NAMING_TAGS * len(tags)
    with pytest.raises(BodyInvalid, match="stop naming"):
        name_shop(scene.issuer, wallet, shop="One more", naming_key=NOBODY)
    assert len(named_shops(scene.issuer, wallet)) == NAMING_TAGS


def test_what_is_no_shops_link_is_refused(scene: Scene) -> None:
    wallet, closed = scene.wallet(), scene.wallet()
    close_wallet(scene.issuer, closed)
    for who, shop, key in (
        (wallet, "", CAFE),
        (wallet, "S" * (SHOP_CHARS_MAX + 1), CAFE),
        (wallet, "Corner\nCafé", CAFE),
        (wallet, "Corner Café", CAFE[:-1]),
        (wallet, "Corner Café", bytes(32)),
        (closed, "Corner Café", CAFE),
    ):
        with pytest.raises(BodyInvalid):
            name_shop(scene.issuer, who, shop=shop, naming_key=key)
    with pytest.raises(NotFound):
        name_shop(scene.issuer, new_id(), shop="Corner Café", naming_key=CAFE)
    assert rows(scene, "named_shops") == 0


def test_an_erased_wallet_names_no_shop(scene: Scene) -> None:
    wallet = scene.payer("ada")
    name_shop(scene.issuer, wallet, shop="Corner Café", naming_key=CAFE)
    pay(scene, CAFES, "Flat white")

    erase_person(scene.issuer, wallet)

    assert (rows(scene, "named_shops"), rows(scene, "named_payments")) == (0, 0)
