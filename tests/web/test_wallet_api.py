"""
An app does with a wallet what its pages do, and only with the wallet's key.
"""

from __future__ import annotations

import os

import msgspec
import pytest

from handsel.flows.issuing.consent import CARD_CONSENT_VERSION, CONSENT_VERSION
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.name_shop import named_shops
from handsel.flows.issuing.open_wallet import wallet_of
from handsel.ids import new_id
from handsel.naming import naming_key_of
from handsel.pay.decline import Declined, DeclineReason
from handsel.till.card import Card
from handsel.web.shop_code import ShopCode, write_shop_code
from handsel.web.wallet_api import wallet_api_routes
from tests.flows.issuing.scene import Scene
from tests.flows.issuing.test_cards import order_of, pay, send
from tests.flows.issuing.test_receipts import public_keys
from tests.web.api import Api, code_of

POSTS = [
    *("top_ups", "consents", "enrolment_codes", "palms/x/pause", "palms/x/resume", "palms/x/erase"),
    *("receipt_keys", "receipts/x/delete", "named_shops", "named_shops/stop"),
]


def api(scene: Scene, key: str = "", *, sandbox: bool = True) -> Api:
    def deliver() -> None:
        deliver_orders(scene.issuer, scene.matchers)

    return Api(wallet_api_routes(scene.issuer, deliver, sandbox=sandbox), key)


def opened(scene: Scene) -> str:
    """
    Open a wallet, and return its key.
    """
    key: str = api(scene).post("/v1/wallets").json()["wallet_key"]
    return key


def test_a_new_wallet_is_empty(scene: Scene) -> None:
    wallet = api(scene, opened(scene)).get("/v1/wallet").json()

    assert wallet == {"balance": 0, "currency": "EUR", "palms": [], "card": None, "history": [], "holds": []}


@pytest.mark.parametrize("key", ["", "x" * 64])
def test_nothing_is_told_or_done_without_the_key(scene: Scene, key: str) -> None:
    stranger = api(scene, key)

    assert code_of(stranger.get("/v1/wallet")) == (401, "access_denied")
    for path in POSTS:
        assert code_of(stranger.post(f"/v1/wallet/{path}")) == (401, "access_denied")


def test_play_money_comes_once_and_in_the_sandbox_only(scene: Scene) -> None:
    key, body = opened(scene), {"id": new_id(), "amount": 20_00}

    assert code_of(api(scene, key, sandbox=False).post("/v1/wallet/top_ups", body)) == (404, "not_found")
    for _ in range(2):
        assert api(scene, key).post("/v1/wallet/top_ups", body).json() == {"status": "done"}
    assert api(scene, key).get("/v1/wallet").json()["balance"] == 20_00


def test_a_code_takes_consent_to_the_text_in_force(scene: Scene) -> None:
    wallet = api(scene, opened(scene))
    declined = wallet.post("/v1/wallet/enrolment_codes").json()
    other = wallet.post("/v1/wallet/consents", {"version": "another"})
    still_declined = wallet.post("/v1/wallet/enrolment_codes").json()

    agreed = wallet.post("/v1/wallet/consents", {"version": CONSENT_VERSION}).json()
    given = wallet.post("/v1/wallet/enrolment_codes").json()

    assert declined == still_declined == {"status": "declined", "reason": "consent_missing"}
    assert code_of(other) == (400, "body_invalid")
    assert agreed == {"status": "done"}
    assert given["status"] == "done" and len(given["code"]) == 8 and given["expires_at_ms"] > scene.now_ms


def test_a_palm_is_paused_woken_and_erased(scene: Scene) -> None:
    key = opened(scene)
    wallet = api(scene, key)
    wallet.post("/v1/wallet/top_ups", {"id": new_id(), "amount": 20_00})
    wallet.post("/v1/wallet/consents", {"version": CONSENT_VERSION})
    scene.enrol(wallet_of(scene.issuer, key), "ada")
    path = f"/v1/wallet/palms/{wallet.get('/v1/wallet').json()['palms'][0]['palm_id']}"

    wallet.post(f"{path}/pause")
    assert scene.charge(scene.show("ada", 1_00)) == Declined(DeclineReason.PALM_PAUSED)
    wallet.post(f"{path}/resume")
    scene.buy("ada", 1_00)
    wallet.post(f"{path}/erase")

    assert isinstance(scene.charge(scene.show("ada", 1_00)), Declined)
    after = wallet.get("/v1/wallet").json()
    assert [(palm["state"], palm["erasures_confirmed"]) for palm in after["palms"]] == [("erased", 3)]
    assert after["balance"] == 19_00


def test_a_card_is_agreed_to_made_paused_woken_and_revoked(scene: Scene) -> None:
    wallet = api(scene, opened(scene))
    wallet.post("/v1/wallet/top_ups", {"id": new_id(), "amount": 20_00})
    wrong = wallet.post("/v1/wallet/consents", {"version": CONSENT_VERSION, "way": "held_key"})
    wallet.post("/v1/wallet/consents", {"version": CARD_CONSENT_VERSION, "way": "held_key"})
    code = wallet.post("/v1/wallet/enrolment_codes", {"way": "held_key"}).json()["code"]
    card = Card.draw(os.urandom)
    send(scene, order_of(card, code, new_id()))

    assert code_of(wrong) == (400, "body_invalid")
    assert wallet.get("/v1/wallet").json()["card"] == {"state": "active", "enrolled_at_ms": scene.now_ms}
    wallet.post("/v1/wallet/card/pause")
    assert pay(scene, card, 1_00) == Declined(DeclineReason.PALM_PAUSED)
    wallet.post("/v1/wallet/card/resume")
    assert not isinstance(pay(scene, card, 1_00), Declined)
    wallet.post("/v1/wallet/card/revoke")
    assert isinstance(pay(scene, card, 1_00), Declined)
    assert wallet.get("/v1/wallet").json()["card"] is None


def test_another_wallets_palm_is_not_found(scene: Scene) -> None:
    key = opened(scene)
    api(scene, key).post("/v1/wallet/consents", {"version": CONSENT_VERSION})
    scene.enrol(wallet_of(scene.issuer, key), "ada")
    palm = api(scene, key).get("/v1/wallet").json()["palms"][0]["palm_id"]
    other = api(scene, opened(scene))

    for verb in ("pause", "resume", "erase"):
        assert code_of(other.post(f"/v1/wallet/palms/{palm}/{verb}")) == (404, "not_found")


def test_an_app_deposits_keys_and_has_a_shop_named(scene: Scene) -> None:
    key = opened(scene)
    wallet, wallet_id = api(scene, key), wallet_of(scene.issuer, key)
    assert wallet.get("/v1/wallet/receipt_keys").json() == {"first": 0, "count": 50}
    keys = msgspec.to_builtins(public_keys(2))
    assert wallet.post("/v1/wallet/receipt_keys", {"first": 0, "keys": keys}).json() == {"first": 2, "count": 48}
    assert wallet.get("/v1/wallet/receipts").json() == {"lines": []}
    assert code_of(wallet.post(f"/v1/wallet/receipts/{new_id()}/delete")) == (404, "not_found")

    code = {"code": write_shop_code(ShopCode("Corner Café", naming_key_of(b"n" * 32)))}
    for _ in range(2):
        assert wallet.post("/v1/wallet/named_shops", code).json() == {"status": "done"}
    assert [shop.shop for shop in named_shops(scene.issuer, wallet_id)] == ["Corner Café"]
    assert code_of(wallet.post("/v1/wallet/named_shops", {"code": "x"})) == (400, "body_invalid")
    assert wallet.post("/v1/wallet/named_shops/stop", code).json() == {"status": "done"}
    assert named_shops(scene.issuer, wallet_id) == ()
