"""
The wallet's pages show and hand out everything that is held, and delete everything, saying what is kept until when.
"""

from __future__ import annotations

import msgspec

from handsel.flows.issuing.open_wallet import wallet_of
from handsel.ids import new_id
from handsel.proof.statement import Statement, verify_statement
from handsel.store.issuer_identity import RETENTION_MS, Basis
from handsel.web.pages import day_text
from tests.flows.issuing.scene import Scene
from tests.web.browser import Browser, said
from tests.web.test_wallet_pages import owner


def known_as(scene: Scene, browser: Browser, name: str) -> None:
    """
    Let the issuer know the name of whoever sits before this browser.
    """
    wallet_id = wallet_of(scene.issuer, browser.cookies["handsel_wallet"])
    with scene.issuer.database.unit_of_work() as uow:
        scene.issuer.identities.put(
            uow, wallet_id, kind="full_name", content=name, basis=Basis.LAW, now_ms=scene.now_ms
        )
        uow.commit()


def test_what_is_held_is_a_page_to_read_and_a_file_to_take_along(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/top-ups", id=new_id())

    assert "Nothing: no name, no address" in said(browser.get("/wallet/export"))
    known_as(scene, browser, "Ada <b>")
    shown = browser.get("/wallet/export")

    assert 'href="/wallet/export.json"' in shown.text
    assert "full name Ada <b> kept by law" in said(shown)
    assert "<b>" not in shown.text
    assert "€20.00" in said(shown)
    assert "Lines of the history 1" in said(shown)


def test_a_wallet_hands_out_a_statement_with_proofs(scene: Scene) -> None:
    browser = owner(scene)
    assert browser.get("/wallet/statement.json").status_code == 404
    browser.post("/wallet/top-ups", id=new_id())

    statement = msgspec.json.decode(browser.get("/wallet/statement.json").content, type=Statement)

    assert verify_statement(statement, key=scene.issuer.tree.public).closing_minor == 20_00


def test_deleting_everything_says_before_and_after_what_is_kept_until_when(scene: Scene) -> None:
    browser = owner(scene)
    browser.post("/wallet/top-ups", id=new_id())
    known_as(scene, browser, "Ada")
    until = day_text(scene.now_ms + RETENTION_MS)
    asked = said(browser.get("/wallet/erase"))

    assert "€20.00 in this wallet is paid back" in asked
    assert f"full name {until}" in asked
    gone = said(browser.post("/wallet/erase"))

    assert "Everything is deleted" in gone
    assert "€20.00 that was left has been paid back" in gone
    assert f"full name {until}" in gone
    assert dict(browser.cookies) == {}
    assert browser.get("/wallet").headers["location"] == "/"


def test_where_nothing_is_kept_nothing_is_said_to_be(scene: Scene) -> None:
    browser = owner(scene)

    assert "The law has your bank keep" not in said(browser.get("/wallet/erase"))
    assert "The law has your bank keep" not in said(browser.post("/wallet/erase"))
