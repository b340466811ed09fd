"""
Serve the pages on which a person says yes, with a passkey, to a payment that needs more than the palm.

They show an amount and a time. There is no shop to show: the issuer knows none.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.errors import BodyInvalid
from handsel.flows.issuing.approve_payment import Waiting, ask_approval, give_approval, waiting_payments
from handsel.flows.issuing.show_factors import show_factors
from handsel.ids import new_id
from handsel.pay.money import Money
from handsel.web.pages import form, go, page
from handsel.web.wallet_desk import WalletDesk, signed_in, signed_in_form


class AskFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Choose the amount to say yes to, once for each id.
    """

    id: str
    amount_minor: str


class GiveFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bring a passkey's yes.
    """

    id: str
    response: str

    def __repr__(self) -> str:
        """
        Return nothing of the answer.
        """
        return "GiveFields()"


class WaitingView(msgspec.Struct, frozen=True):
    """
    Show one amount that waits; `request_id` is that of its approval, should it be asked for.
    """

    waiting: Waiting
    request_id: str


class ApprovalsView(msgspec.Struct, frozen=True):
    """
    Show what waits for a yes. `version` changes whenever the page would say something else.
    """

    version: str
    payments: tuple[WaitingView, ...]
    has_passkey: bool


class AskView(msgspec.Struct, frozen=True):
    """
    Ask for a yes to one amount: `options` is what the browser has a passkey sign.
    """

    id: str
    amount: Money
    options: str


def approval_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """

    def show(_: Request, wallet_id: str) -> Response:
        payments = waiting_payments(desk.issuer, wallet_id)
        view = ApprovalsView(
            version=" ".join(f"{one.amount.amount_minor}@{one.approved_until_ms or 0}" for one in payments),
            payments=tuple(WaitingView(one, new_id()) for one in payments),
            has_passkey=bool(show_factors(desk.issuer, wallet_id).passkeys),
        )
        return desk.dress.render("wallet/approvals.html", view)

    def ask(_: Request, wallet_id: str, fields: AskFields) -> Response:
        if not fields.amount_minor.isascii() or not fields.amount_minor.isdigit() or len(fields.amount_minor) > 12:
            raise BodyInvalid("the form was not filled in as the page has it: load the page again")
        amount = Money(int(fields.amount_minor), desk.issuer.currency)
        options = ask_approval(desk.issuer, wallet_id, approval_id=fields.id, amount_minor=amount.amount_minor)
        return desk.dress.render("wallet/approve.html", AskView(fields.id, amount, options))

    def give(_: Request, wallet_id: str, fields: GiveFields) -> Response:
        give_approval(desk.issuer, wallet_id, approval_id=fields.id, response=fields.response)
        return go("/wallet/approvals")

    return [
        page("/wallet/approvals", signed_in(desk, show)),
        form("/wallet/approvals", AskFields, signed_in_form(desk, ask)),
        form("/wallet/approvals/give", GiveFields, signed_in_form(desk, give)),
    ]
