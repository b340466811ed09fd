"""
Serve the pages on which a person agrees to pay with a card and a palm, gets a code for the till, and loses a card.

Each route calls one flow of the issuer and renders what it answers. There is nothing of the card itself here: its code
is shown once, at the till.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.flows.issuing.consent import CARD_CONSENT_VERSION, give_consent, withdraw_consent
from handsel.flows.issuing.enrolment_code import CODE_VALID_MS, EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.keep_card import pause_card, resume_card, revoke_card
from handsel.flows.issuing.show_wallet import WalletView, show_wallet
from handsel.order import Way
from handsel.pay.decline import DeclineReason
from handsel.web.pages import NoFields, forget, form, go, page, remember
from handsel.web.palm_pages import ConsentFields, ConsentView
from handsel.web.palm_view import WaitingCode, read_code
from handsel.web.wallet_desk import CARD_CODE_COOKIE, CODE_COOKIE, WalletDesk, signed_in, signed_in_form


class CardView(msgspec.Struct, frozen=True):
    """
    Show a wallet's card, and the code that waits for a new one. `state` is active, paused, or empty without a card.

    `version` changes whenever the page would say something else.
    """

    version: str
    state: str
    since_ms: int
    code: str
    seconds_left: int
    consent_version: str
    is_closed: bool


def card_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """
    return [*_consent_routes(desk), *_code_routes(desk), *_change_routes(desk)]


def waiting_card_code(request: Request, wallet: WalletView, *, now_ms: int) -> WaitingCode | None:
    """
    Return the code for a card that the browser was given, if no till has taken it yet.
    """
    waiting = read_code(request.cookies.get(CARD_CODE_COOKIE, ""), now_ms=now_ms)
    if waiting is None or wallet.closed_at_ms is not None or wallet.card_consent_version is None:
        return None
    is_used = wallet.card is not None and wallet.card.enrolled_at_ms >= waiting.expires_at_ms - CODE_VALID_MS
    return None if is_used else waiting


def _consent_routes(desk: WalletDesk) -> list[BaseRoute]:
    def read(_: Request, wallet_id: str) -> Response:
        is_given = show_wallet(desk.issuer, wallet_id).card_consent_version == CARD_CONSENT_VERSION
        return desk.dress.render("wallet/card_consent.html", ConsentView(CARD_CONSENT_VERSION, "", is_given))

    def agree(request: Request, wallet_id: str, fields: ConsentFields) -> Response:
        wrong = fields.refuse(CARD_CONSENT_VERSION)
        if wrong:
            return desk.dress.render("wallet/card_consent.html", ConsentView(CARD_CONSENT_VERSION, wrong), status=400)
        give_consent(desk.issuer, wallet_id, version=fields.version, way=Way.HELD_KEY)
        return _give_code(desk, request, wallet_id)

    def ask(_: Request, __: str) -> Response:
        return desk.dress.render("wallet/withdraw_card_consent.html", ConsentView(CARD_CONSENT_VERSION, ""))

    def withdraw(_: Request, wallet_id: str, __: NoFields) -> Response:
        withdraw_consent(desk.issuer, wallet_id, way=Way.HELD_KEY)
        return forget(go("/wallet/card"), CARD_CODE_COOKIE)

    return [
        page("/wallet/card/consent", signed_in(desk, read)),
        form("/wallet/card/consent", ConsentFields, signed_in_form(desk, agree)),
        page("/wallet/card/consent/withdraw", signed_in(desk, ask)),
        form("/wallet/card/consent/withdraw", NoFields, signed_in_form(desk, withdraw)),
    ]


def _code_routes(desk: WalletDesk) -> list[BaseRoute]:
    def show(request: Request, wallet_id: str) -> Response:
        view = _view(desk, request, wallet_id)
        response = desk.dress.render("wallet/card.html", view)
        return response if view.code else forget(response, CARD_CODE_COOKIE)

    def give(request: Request, wallet_id: str, _: NoFields) -> Response:
        return _give_code(desk, request, wallet_id)

    return [
        page("/wallet/card", signed_in(desk, show)),
        form("/wallet/card/code", NoFields, signed_in_form(desk, give)),
    ]


def _change_routes(desk: WalletDesk) -> list[BaseRoute]:
    def pause(_: Request, wallet_id: str, __: NoFields) -> Response:
        pause_card(desk.issuer, wallet_id)
        return go("/wallet/card")

    def resume(_: Request, wallet_id: str, __: NoFields) -> Response:
        resume_card(desk.issuer, wallet_id)
        return go("/wallet/card")

    def ask(request: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/revoke_card.html", _view(desk, request, wallet_id))

    def revoke(_: Request, wallet_id: str, __: NoFields) -> Response:
        revoke_card(desk.issuer, wallet_id)
        return go("/wallet/card")

    return [
        form("/wallet/card/pause", NoFields, signed_in_form(desk, pause)),
        form("/wallet/card/resume", NoFields, signed_in_form(desk, resume)),
        page("/wallet/card/revoke", signed_in(desk, ask)),
        form("/wallet/card/revoke", NoFields, signed_in_form(desk, revoke)),
    ]


def _give_code(desk: WalletDesk, request: Request, wallet_id: str) -> Response:
    given = give_enrolment_code(desk.issuer, wallet_id, way=Way.HELD_KEY)
    if isinstance(given, EnrolmentCode):
        # A wallet has one code at a time: the one for a palm is void now.
        response = forget(go("/wallet/card"), CODE_COOKIE)
        return remember(request, response, cookie=CARD_CODE_COOKIE, value=f"{given.code}.{given.expires_at_ms}")
    return go("/wallet/card/consent" if given.reason is DeclineReason.CONSENT_MISSING else "/wallet/card")


def _view(desk: WalletDesk, request: Request, wallet_id: str) -> CardView:
    wallet = show_wallet(desk.issuer, wallet_id)
    now_ms = desk.issuer.clock()
    waiting = waiting_card_code(request, wallet, now_ms=now_ms)
    code = waiting.code if waiting else ""
    state, since_ms = (wallet.card.state, wallet.card.enrolled_at_ms) if wallet.card else ("", 0)
    return CardView(
        version=f"{code} {wallet.card_consent_version or ''} {state} {since_ms}",
        state=state,
        since_ms=since_ms,
        code=code,
        seconds_left=(waiting.expires_at_ms - now_ms) // 1000 if waiting else 0,
        consent_version=wallet.card_consent_version or "",
        is_closed=wallet.closed_at_ms is not None,
    )
