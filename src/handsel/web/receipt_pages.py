"""
Serve the wallet's receipts: a list that the browser opens, the public keys that it deposits, and the shops that its
owner wants named.

What is sealed is passed to the browser as it is; no key that opens it ever comes here.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.errors import BodyInvalid
from handsel.flows.issuing.deposit_receipt_keys import deposit_receipt_keys, keys_wanted
from handsel.flows.issuing.name_shop import name_shop, named_shops, stop_naming
from handsel.flows.issuing.show_receipts import (
    RECEIPTS_PAGE,
    RECEIPTS_PAGES_MAX,
    ReceiptLine,
    delete_receipt,
    show_receipts,
)
from handsel.ids import require_id
from handsel.keys import KEY_BYTES
from handsel.pay.money import Money
from handsel.web.app import json_response
from handsel.web.pages import NoFields, form, go, page, sentence
from handsel.web.shop_code import read_shop_code
from handsel.web.wallet_desk import WalletDesk, signed_in, signed_in_form


class KeysFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Deposit public keys, numbered from `first`: all of them in hexadecimal, one after another.
    """

    first: str
    keys: str


class CodeFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Send a shop's code.
    """

    code: str

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "CodeFields()"


class StopFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stop naming the shop with this naming key.
    """

    key: str

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "StopFields()"


class KeysWantedBody(msgspec.Struct, frozen=True):
    """
    Say how many keys the browser is to deposit, and from which number on.
    """

    first: int
    count: int


class ReceiptsBody(msgspec.Struct, frozen=True):
    """
    Hand sealed receipts to the browser.
    """

    lines: tuple[ReceiptLine, ...]


class PaidLine(msgspec.Struct, frozen=True):
    """
    Show one payment; the rest of it is in the sealed receipt, where there is one.
    """

    money: Money
    at_ms: int
    receipt_id: str
    shop: str
    text: str


class ReceiptsView(msgspec.Struct, frozen=True):
    """
    Show one page of payments. `wallet` tells the browser which of its keys are this wallet's.
    """

    wallet: str
    lines: tuple[PaidLine, ...]
    page: int
    older: bool


class ShopView(msgspec.Struct, frozen=True):
    """
    Show a shop that is named.
    """

    shop: str
    since_ms: int
    key: str


class ShopsView(msgspec.Struct, frozen=True):
    """
    Show the shops that are named; `wrong` says why a code was none.
    """

    shops: tuple[ShopView, ...]
    wrong: str


class NameShopView(msgspec.Struct, frozen=True):
    """
    Ask whether a shop is to be named.
    """

    shop: str
    code: str


_TEXTS = {
    True: "Sealed: your browser opens it.",
    False: "No receipt is here. The one that you got at the till holds.",
}


def receipt_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """
    return [*_list_routes(desk), *_key_routes(desk), *_shop_routes(desk)]


def _list_routes(desk: WalletDesk) -> list[BaseRoute]:
    def listed(request: Request, wallet_id: str) -> Response:
        number = _page_of(request)
        lines = show_receipts(desk.issuer, wallet_id, page=number)
        view = ReceiptsView(wallet_id[:16], tuple(map(_line, lines)), number, len(lines) == RECEIPTS_PAGE)
        return desk.dress.render("wallet/receipts.html", view)

    def sealed(request: Request, wallet_id: str) -> Response:
        return json_response(ReceiptsBody(show_receipts(desk.issuer, wallet_id, page=_page_of(request))))

    def deleted(request: Request, wallet_id: str, _: NoFields) -> Response:
        delete_receipt(desk.issuer, wallet_id, require_id(str(request.path_params["receipt"])))
        return go("/wallet/receipts")

    return [
        page("/wallet/receipts", signed_in(desk, listed)),
        page("/wallet/receipts.json", signed_in(desk, sealed)),
        form("/wallet/receipts/{receipt}/delete", NoFields, signed_in_form(desk, deleted)),
    ]


def _key_routes(desk: WalletDesk) -> list[BaseRoute]:
    def wanted(_: Request, wallet_id: str) -> Response:
        keys = keys_wanted(desk.issuer, wallet_id)
        return json_response(KeysWantedBody(keys.first, keys.count))

    def deposited(_: Request, wallet_id: str, fields: KeysFields) -> Response:
        raw = _bytes(fields.keys)
        keys = tuple(raw[at : at + KEY_BYTES] for at in range(0, len(raw), KEY_BYTES))
        wanted_now = deposit_receipt_keys(desk.issuer, wallet_id, keys, first=_number(fields.first))
        return json_response(KeysWantedBody(wanted_now.first, wanted_now.count))

    return [
        page("/wallet/receipt-keys", signed_in(desk, wanted)),
        form("/wallet/receipt-keys", KeysFields, signed_in_form(desk, deposited)),
    ]


def _shop_routes(desk: WalletDesk) -> list[BaseRoute]:
    def shops(_: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/shops.html", _shops_view(desk, wallet_id, ""))

    def ask(_: Request, wallet_id: str, fields: CodeFields) -> Response:
        try:
            code = read_shop_code(fields.code)
        except BodyInvalid as exc:
            wrong = sentence(exc)
            return desk.dress.render("wallet/shops.html", _shops_view(desk, wallet_id, wrong), status=400)
        return desk.dress.render("wallet/name_shop.html", NameShopView(code.shop, fields.code))

    def name(_: Request, wallet_id: str, fields: CodeFields) -> Response:
        code = read_shop_code(fields.code)
        name_shop(desk.issuer, wallet_id, shop=code.shop, naming_key=code.naming_key)
        return go("/wallet/shops")

    def stop(_: Request, wallet_id: str, fields: StopFields) -> Response:
        stop_naming(desk.issuer, wallet_id, naming_key=_bytes(fields.key))
        return go("/wallet/shops")

    return [
        page("/wallet/shops", signed_in(desk, shops)),
        form("/wallet/shops/ask", CodeFields, signed_in_form(desk, ask)),
        form("/wallet/shops", CodeFields, signed_in_form(desk, name)),
        form("/wallet/shops/stop", StopFields, signed_in_form(desk, stop)),
    ]


def _line(line: ReceiptLine) -> PaidLine:
    return PaidLine(
        money=Money(line.amount_minor, line.currency),
        at_ms=line.at_ms,
        receipt_id=line.receipt.id if line.receipt else "",
        shop=line.shop,
        text=line.description if line.shop else _TEXTS[line.receipt is not None],
    )


def _shops_view(desk: WalletDesk, wallet_id: str, wrong: str) -> ShopsView:
    found = named_shops(desk.issuer, wallet_id)
    return ShopsView(tuple(ShopView(row.shop, row.since_ms, row.naming_key.hex()) for row in found), wrong)


def _page_of(request: Request) -> int:
    number = _number(request.query_params.get("page", "0"))
    if number > RECEIPTS_PAGES_MAX:
        raise BodyInvalid("there is no such page: begin with the first")
    return number


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BodyInvalid("a number has only digits: load the page again")
    return int(text)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as exc:
        raise BodyInvalid("a key is written in hexadecimal: load the page again") from exc
