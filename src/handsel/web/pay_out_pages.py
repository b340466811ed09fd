"""
Serve the pages on which a shop says where it is paid out, and sees what was.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.bank.booking import OrderState
from handsel.bank.iban import parse_iban
from handsel.bank.orders import NAME_CHARS_MAX, Holder
from handsel.errors import BodyInvalid
from handsel.flows.acquiring.merchant_bank_account import bank_account_of, set_bank_account
from handsel.flows.acquiring.pay_out import PayOut, list_pay_outs, show_pay_out
from handsel.flows.acquiring.prove_payments import prove_pay_out
from handsel.ids import require_id
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.web.download import json_file
from handsel.web.pages import form, go, page
from handsel.web.shop_desk import ShopDesk, signed_in, signed_in_form

_WORDS = {
    OrderState.ORDERED: ("At the bank", ""),
    OrderState.DONE: ("Paid out", "good"),
    OrderState.REFUSED: ("Refused by the bank: it is paid out again", "bad"),
    OrderState.RETURNED: ("Came back: it is paid out again", "bad"),
}


class AccountFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say where to pay out.
    """

    holder: str
    iban: str

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "AccountFields()"


class PayOutLine(msgspec.Struct, frozen=True):
    """
    Show a pay-out: how it stands in a `word`, and the bank's reason where it gave one.
    """

    id: str
    money: Money
    due_on: str
    word: str
    tone: str
    reason: str
    was_paid: bool


class PayOutsView(msgspec.Struct, frozen=True):
    """
    Show where a shop is paid out, by the end of the number, and its pay-outs; `wrong` says why an account was refused.
    """

    account: str
    pay_outs: tuple[PayOutLine, ...]
    holder: str = ""
    holder_chars_max: int = NAME_CHARS_MAX
    wrong: str = ""

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "PayOutsView()"


class ItemLine(msgspec.Struct, frozen=True):
    """
    Show a payment or a refund that a pay-out contains.
    """

    kind: str
    id: str
    sign: str
    money: Money


class PayOutView(msgspec.Struct, frozen=True):
    """
    Show one pay-out with all that it contains.
    """

    pay_out: PayOutLine
    items: tuple[ItemLine, ...]


def pay_out_routes(desk: ShopDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """

    def pay_outs(_: Request, merchant: Merchant) -> Response:
        return desk.dress.render("merchant/pay_outs.html", _view(desk, merchant))

    def set_account(_: Request, merchant: Merchant, fields: AccountFields) -> Response:
        try:
            holder = Holder(fields.holder.strip(), parse_iban(fields.iban))
        except BodyInvalid as exc:
            view = msgspec.structs.replace(_view(desk, merchant), wrong=str(exc), holder=fields.holder)
            return desk.dress.render("merchant/pay_outs.html", view, status=400)
        set_bank_account(desk.acquirer, merchant, holder, now_ms=desk.clock())
        return go("/pay-outs")

    def pay_out(request: Request, merchant: Merchant) -> Response:
        found = show_pay_out(desk.acquirer, merchant, require_id(str(request.path_params["pay_out"])))
        currency = found.pay_out.money.currency
        items = (
            ItemLine(
                *(item.kind, item.item_id, "+" if item.change_minor > 0 else "−"),
                Money(abs(item.change_minor), currency),
            )
            for item in found.items
        )
        return desk.dress.render("merchant/pay_out.html", PayOutView(_line(found.pay_out), tuple(items)))

    def statement(request: Request, merchant: Merchant) -> Response:
        pay_out_id = require_id(str(request.path_params["pay_out"]))
        return json_file(prove_pay_out(desk.acquirer, merchant, pay_out_id), "pay-out.json")

    return [
        page("/pay-outs", signed_in(desk, pay_outs)),
        form("/pay-outs/account", AccountFields, signed_in_form(desk, set_account)),
        page("/pay-outs/{pay_out}", signed_in(desk, pay_out)),
        page("/pay-outs/{pay_out}/statement.json", signed_in(desk, statement)),
    ]


def _view(desk: ShopDesk, merchant: Merchant) -> PayOutsView:
    holder = bank_account_of(desk.acquirer, merchant)
    lines = tuple(map(_line, list_pay_outs(desk.acquirer, merchant)))
    return PayOutsView(holder.iban.hint if holder else "", lines)


def _line(found: PayOut) -> PayOutLine:
    word, tone = _WORDS[found.state]
    was_paid = found.state in (OrderState.DONE, OrderState.RETURNED)
    return PayOutLine(found.id, found.money, found.due_on, word, tone, found.reason, was_paid)
