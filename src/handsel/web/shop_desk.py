"""
Know who stands before the shop's pages: a browser that holds a merchant's key in a cookie, or a stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from handsel.clock import Clock
from handsel.errors import AccessDenied
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.sign_in import sign_in_merchant
from handsel.pay.merchant import Merchant
from handsel.web.faces import SHOP
from handsel.web.pages import Dress, forget, go

KEY_COOKIE = "handsel_merchant"

F = TypeVar("F")


@dataclass(frozen=True)
class ShopDesk:
    """
    Hold what every page of the shop needs.
    """

    acquirer: Acquirer
    clock: Clock
    dress: Dress


def shop_desk(acquirer: Acquirer, clock: Clock) -> ShopDesk:
    """
    Return what the shop's pages need.
    """
    return ShopDesk(acquirer, clock, Dress(SHOP))


def signed_in(desk: ShopDesk, answer: Callable[[Request, Merchant], Response]) -> Callable[[Request], Response]:
    """
    Return a page that only a merchant sees. Others are sent to the first page.
    """

    def respond(request: Request) -> Response:
        try:
            merchant = sign_in_merchant(desk.acquirer, request.cookies.get(KEY_COOKIE, ""))
        except AccessDenied:
            return sign_out()
        return answer(request, merchant)

    return respond


def signed_in_form(
    desk: ShopDesk, answer: Callable[[Request, Merchant, F], Response]
) -> Callable[[Request, F], Response]:
    """
    Return the same for a form.
    """

    def respond(request: Request, fields: F) -> Response:
        return signed_in(desk, lambda again, merchant: answer(again, merchant, fields))(request)

    return respond


def sign_out() -> Response:
    """
    Return the way back to the first page, with no key left in the browser.
    """
    return forget(go("/"), KEY_COOKIE)
