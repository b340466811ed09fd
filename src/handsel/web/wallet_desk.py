"""
Know who stands before the wallet's pages: a browser that holds a wallet's key in a cookie, or a stranger.

The key is in no page but the one that tells it, in no address and in no log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from handsel.errors import AccessDenied
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_wallet import wallet_of
from handsel.pay.money import Money
from handsel.web.pages import Dress, forget, go

KEY_COOKIE = "handsel_wallet"
FRESH_COOKIE = "handsel_fresh"  # The key was made in this browser and has not been written down yet.
CODE_COOKIE = "handsel_code"  # The enrolment code that this browser was given, until it expires.
CARD_CODE_COOKIE = "handsel_card_code"  # The same, of a code for a card.
WALLET_COOKIES = (KEY_COOKIE, FRESH_COOKIE, CODE_COOKIE, CARD_CODE_COOKIE)
_GROUP_CHARS = 4

F = TypeVar("F")


@dataclass(frozen=True)
class WalletDesk:
    """
    Hold what every page of the wallet needs.

    `deliver` sends the orders that wait for the matchers. `top_up` is the play money that one tap adds; None outside a
    sandbox.
    """

    issuer: Issuer
    dress: Dress
    deliver: Callable[[], object]
    top_up: Money | None


def wallet_key(request: Request) -> str:
    """
    Return the key that the browser holds, or an empty text.
    """
    return request.cookies.get(KEY_COOKIE, "")


def signed_in(desk: WalletDesk, answer: Callable[[Request, str], Response]) -> Callable[[Request], Response]:
    """
    Return a page that only the owner of a wallet sees; `answer` gets the wallet's id. Others are sent to the welcome.
    """

    def respond(request: Request) -> Response:
        try:
            wallet_id = wallet_of(desk.issuer, wallet_key(request))
        except AccessDenied:
            return sign_out()
        return answer(request, wallet_id)

    return respond


def signed_in_form(desk: WalletDesk, answer: Callable[[Request, str, F], Response]) -> Callable[[Request, F], Response]:
    """
    Return the same for a form.
    """

    def respond(request: Request, fields: F) -> Response:
        return signed_in(desk, lambda again, wallet_id: answer(again, wallet_id, fields))(request)

    return respond


def sign_out() -> Response:
    """
    Return the way back to the welcome, with nothing of the wallet left in the browser.
    """
    return forget(go("/"), *WALLET_COOKIES)


def delivering(desk: WalletDesk, response: Response) -> Response:
    """
    Return `response`, and deliver what waits for the matchers after it: they hear of an erasure at once.
    """
    response.background = BackgroundTask(desk.deliver)
    return response


def spell(key: str) -> str:
    """
    Return a key in groups of four, which are easier to write down.
    """
    return " ".join(key[at : at + _GROUP_CHARS] for at in range(0, len(key), _GROUP_CHARS))


def unspell(typed: str) -> str:
    """
    Return a key as it is stored from what a person typed: spaces, hyphens and capitals do not matter.
    """
    return "".join(typed.split()).replace("-", "").lower()
