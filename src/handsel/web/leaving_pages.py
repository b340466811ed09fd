"""
Serve what a person has a right to: to take everything along, to close the wallet, to have everything deleted.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_person import Erased, erase_person, what_would_be_kept
from handsel.flows.issuing.export_wallet import WalletExport, export_wallet, prove_wallet
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.pay.money import Money
from handsel.store.issuer_identity import KeptRow
from handsel.web.download import json_file
from handsel.web.pages import NoFields, forget, form, go, page
from handsel.web.tree import number_in
from handsel.web.wallet_desk import (
    CARD_CODE_COOKIE,
    CODE_COOKIE,
    WALLET_COOKIES,
    WalletDesk,
    delivering,
    signed_in,
    signed_in_form,
)


class LeaveView(msgspec.Struct, frozen=True):
    """
    Say what would be paid back, what would be kept until when, and whether a shop has reserved something.
    """

    balance: Money
    is_closed: bool
    has_holds: bool
    kept: tuple[KeptRow, ...]


class ErasedView(msgspec.Struct, frozen=True):
    """
    Say what was paid back, and what is kept until when.
    """

    erased: Erased


class ExportView(msgspec.Struct, frozen=True):
    """
    Show everything that is held about a wallet.
    """

    held: WalletExport
    balance: Money
    alone: Money
    per_payment: Money
    per_day: Money


def leaving_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """
    return [*_export_routes(desk), *_closing_routes(desk)]


def _export_routes(desk: WalletDesk) -> list[BaseRoute]:
    def export(_: Request, wallet_id: str) -> Response:
        return json_file(export_wallet(desk.issuer, wallet_id), "handsel-wallet.json")

    def shown(_: Request, wallet_id: str) -> Response:
        held = export_wallet(desk.issuer, wallet_id)
        currency = held.wallet.currency
        view = ExportView(
            held,
            balance=Money(held.wallet.balance_minor, currency),
            alone=Money(held.limits.alone_per_payment_minor, currency),
            per_payment=Money(held.limits.per_payment_minor, currency),
            per_day=Money(held.limits.per_day_minor, currency),
        )
        return desk.dress.render("wallet/export.html", view)

    def statement(request: Request, wallet_id: str) -> Response:
        return json_file(prove_wallet(desk.issuer, wallet_id, after=number_in(request, "after", "0")), "statement.json")

    return [
        page("/wallet/export", signed_in(desk, shown)),
        page("/wallet/export.json", signed_in(desk, export)),
        page("/wallet/statement.json", signed_in(desk, statement)),
    ]


def _closing_routes(desk: WalletDesk) -> list[BaseRoute]:
    def ask_to_close(_: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/close.html", _leave_view(desk, wallet_id))

    def close(_: Request, wallet_id: str, __: NoFields) -> Response:
        close_wallet(desk.issuer, wallet_id)
        return delivering(desk, forget(go("/wallet"), CODE_COOKIE, CARD_CODE_COOKIE))

    def ask_to_erase(_: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/erase.html", _leave_view(desk, wallet_id))

    def erase(_: Request, wallet_id: str, __: NoFields) -> Response:
        said = desk.dress.render("wallet/erased.html", ErasedView(erase_person(desk.issuer, wallet_id)))
        return delivering(desk, forget(said, *WALLET_COOKIES))

    return [
        page("/wallet/close", signed_in(desk, ask_to_close)),
        form("/wallet/close", NoFields, signed_in_form(desk, close)),
        page("/wallet/erase", signed_in(desk, ask_to_erase)),
        form("/wallet/erase", NoFields, signed_in_form(desk, erase)),
    ]


def _leave_view(desk: WalletDesk, wallet_id: str) -> LeaveView:
    wallet = show_wallet(desk.issuer, wallet_id)
    kept = what_would_be_kept(desk.issuer, wallet_id)
    balance = Money(wallet.balance_minor, wallet.currency)
    return LeaveView(balance, wallet.closed_at_ms is not None, bool(wallet.holds), kept)
