"""
Whoever was paid or has paid gets a proof to keep; anybody gets the heads; and all of it is checked offline.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from starlette.routing import BaseRoute

from handsel.cli.main import main
from handsel.flows.acquiring.sign_in import register_merchant
from handsel.pay.merchant import Merchant
from handsel.proof.head import SignedHead, TreeKey
from handsel.proof.receipt import ReceiptProof, verify_receipt
from handsel.proof.statement import Statement, verify_statement
from handsel.web.merchant_api import merchant_api_routes
from handsel.web.merchant_pages import merchant_error_page, merchant_routes
from handsel.web.tree import tree_routes
from tests.flows.acquiring.street import SHOP_KEY, Street
from tests.web.api import Api, code_of
from tests.web.browser import Browser


def everything(street: Street) -> list[BaseRoute]:
    def clock() -> int:
        return street.now_ms

    return [*merchant_api_routes(street.acquirer, clock), *merchant_routes(street.acquirer, clock)]


def test_a_receipt_has_a_proof_on_its_page(street: Street) -> None:
    paid = street.pay("ann", 450)
    browser = Browser(everything(street), merchant_error_page)

    assert f"/receipts/{paid.receipt_code}/proof.json" in browser.get(f"/receipts/{paid.receipt_code}").text
    answer = browser.get(f"/receipts/{paid.receipt_code}/proof.json")
    proof = msgspec.json.decode(answer.content, type=ReceiptProof)
    proved = verify_receipt(proof, key=street.acquirer.tree.public)

    assert answer.headers["content-disposition"] == 'attachment; filename="receipt-proof.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert (proved.leaf.amount_minor, proved.credited) == (450, "merchant:corner-cafe:EUR")
    assert browser.get(f"/receipts/{'f' * 32}/proof.json").status_code == 404


def test_a_shop_gets_all_its_entries_and_checks_them_by_itself(
    street: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paid = [street.pay("ann", minor) for minor in (450, 700)]
    street.submit_refund(street.show_for_refund("ann", street.ask_refund(paid[0], 50)))
    street.pay("ann", 120)
    shop = Api([*everything(street), *tree_routes(street.acquirer.tree)], SHOP_KEY)
    statement = keep(tmp_path / "statement.json", shop.get("/v1/statement?currency=eur").content)
    key = keep(tmp_path / "tree.pub", shop.get("/v1/tree_key").content)
    mine = keep(tmp_path / "mine.csv", "".join(f"{each.id},{each.amount.amount_minor}\n" for each in paid).encode())

    assert main(["verify-statement", statement, "--key", key, "--payments", mine]) == 0

    said = capsys.readouterr().out
    assert "entries 1 to 4 of merchant:corner-cafe:EUR" in said
    assert "After: 12.20 EUR" in said
    assert "refund: -0.50 EUR" in said
    held = msgspec.json.decode(Path(statement).read_bytes(), type=Statement)
    assert [line.payment_id for line in held.lines][:2] == [each.id for each in paid]
    later = msgspec.json.decode(shop.get("/v1/statement?currency=eur&after=3").content, type=Statement)
    assert verify_statement(later, key=street.acquirer.tree.public).first == 4


def test_a_statement_is_its_own_shops(street: Street) -> None:
    street.pay("ann", 450)
    register_merchant(street.acquirer, Merchant("bar", "Bar"), key="b" * 64)

    assert code_of(Api(everything(street), "b" * 64).get("/v1/statement?currency=eur")) == (404, "not_found")
    assert code_of(Api(everything(street), "x" * 64).get("/v1/statement?currency=eur")) == (401, "access_denied")
    browser = Browser(everything(street), merchant_error_page)
    assert browser.get("/statement.json").headers["location"] == "/"


@pytest.mark.parametrize("asked", ["", "currency=xxx", "currency=eur&after=-1", "currency=eur&after=x"])
def test_what_is_asked_wrongly_is_said(street: Street, asked: str) -> None:
    street.pay("ann", 450)

    assert code_of(Api(everything(street), SHOP_KEY).get(f"/v1/statement?{asked}")) == (400, "body_invalid")


def test_the_shops_page_hands_the_statement_out(street: Street) -> None:
    street.pay("ann", 450)
    browser = Browser(everything(street), merchant_error_page)
    browser.post("/sign-in", key=SHOP_KEY)

    assert "/statement.json" in browser.get("/payments").text
    statement = msgspec.json.decode(browser.get("/statement.json").content, type=Statement)
    assert verify_statement(statement, key=street.acquirer.tree.public).closing_minor == 450


@pytest.mark.parametrize("whose", ["issuer", "acquirer"])
def test_anybody_sees_the_heads_and_that_the_ledger_only_grew(street: Street, whose: str, tmp_path: Path) -> None:
    tree = street.acquirer.tree if whose == "acquirer" else street.issuer.issuer.tree
    anybody = Api(tree_routes(tree))
    if whose == "acquirer":
        assert code_of(anybody.get("/v1/tree_head")) == (404, "not_found")
    street.pay("ann", 450)
    assert tree.grow()
    older = keep(tmp_path / "older.json", anybody.get("/v1/tree_head").content)
    street.pay("ann", 120)
    assert tree.grow()
    newer = keep(tmp_path / "newer.json", anybody.get("/v1/tree_head").content)
    sizes = [msgspec.json.decode(Path(each).read_bytes(), type=SignedHead).head.size for each in (older, newer)]
    growth = anybody.get(f"/v1/tree_consistency?first={sizes[0]}&second={sizes[1]}").content
    key = keep(tmp_path / "tree.pub", anybody.get("/v1/tree_key").content)

    assert msgspec.json.decode(Path(key).read_bytes(), type=TreeKey).party == whose
    assert main(["verify-log", older, newer, "--key", key, "--proof", keep(tmp_path / "proof.json", growth)]) == 0
    for asked in ("", "?first=1", "?first=0&second=1", f"?first=1&second={sizes[1] + 1}", "?first=x&second=2"):
        assert code_of(anybody.get(f"/v1/tree_consistency{asked}")) == (400, "body_invalid")


def keep(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
