"""
Serve the pages on which a person agrees to pay by palm, gets a code for the till, and pauses or deletes a palm.

Each route calls one flow of the issuer and renders what it answers.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.flows.issuing.consent import CONSENT_VERSION, give_consent, withdraw_consent
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pause_palm import pause_palm, resume_palm
from handsel.flows.issuing.show_wallet import WalletView, show_wallet
from handsel.pay.decline import DeclineReason
from handsel.web.pages import NoFields, forget, form, go, page, remember
from handsel.web.palm_view import PalmCard, can_add_palm, cards_of, count_erased, waiting_code
from handsel.web.wallet_desk import CARD_CODE_COOKIE, CODE_COOKIE, WalletDesk, delivering, signed_in, signed_in_form

# Why there is no code, beside missing consent, which leads to its text.
NO_CODE = {
    DeclineReason.WALLET_CLOSED: "This wallet is closed. Please pay another way.",
    DeclineReason.TOO_MANY_PALMS: "This wallet has both palms already. Delete one in your wallet first.",
}


class ConsentFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Agree to the text of one version. A box that is not ticked is not sent.
    """

    version: str
    agreed: str = ""

    def refuse(self, version: str) -> str:
        """
        Return why this is no consent to the text of `version`, or an empty text.
        """
        if self.version != version:
            return "This text has changed since you opened the page. Please read it again."
        return "" if self.agreed == "yes" else "Tick the box first, if you agree."


class ConsentView(msgspec.Struct, frozen=True):
    """
    Show the text, and whether it was agreed to; `wrong` says why it was not.
    """

    version: str
    wrong: str
    is_given: bool = False


class PalmView(msgspec.Struct, frozen=True):
    """
    Show a wallet's palms, and the code that waits for one more.

    `version` changes whenever the page would say something else.
    """

    version: str
    cards: tuple[PalmCard, ...]
    erased: int
    code: str
    seconds_left: int
    consent_version: str
    can_add: bool
    is_moving: bool
    wrong: str


class DeleteView(msgspec.Struct, frozen=True):
    """
    Ask whether a palm is really to be deleted.
    """

    palm_id: str


def palm_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """
    return [*_consent_routes(desk), *_code_routes(desk), *_change_routes(desk)]


def _consent_routes(desk: WalletDesk) -> list[BaseRoute]:
    def read(_: Request, wallet_id: str) -> Response:
        is_given = show_wallet(desk.issuer, wallet_id).consent_version == CONSENT_VERSION
        return desk.dress.render("wallet/consent.html", ConsentView(CONSENT_VERSION, "", is_given))

    def agree(request: Request, wallet_id: str, fields: ConsentFields) -> Response:
        wrong = fields.refuse(CONSENT_VERSION)
        if wrong:
            return desk.dress.render("wallet/consent.html", ConsentView(CONSENT_VERSION, wrong), status=400)
        give_consent(desk.issuer, wallet_id, version=fields.version)
        return _give_code(desk, request, wallet_id)

    def ask(_: Request, __: str) -> Response:
        return desk.dress.render("wallet/withdraw_consent.html", ConsentView(CONSENT_VERSION, ""))

    def withdraw(_: Request, wallet_id: str, __: NoFields) -> Response:
        withdraw_consent(desk.issuer, wallet_id)
        return delivering(desk, forget(go("/wallet/palm"), CODE_COOKIE))

    return [
        page("/wallet/consent", signed_in(desk, read)),
        form("/wallet/consent", ConsentFields, signed_in_form(desk, agree)),
        page("/wallet/consent/withdraw", signed_in(desk, ask)),
        form("/wallet/consent/withdraw", NoFields, signed_in_form(desk, withdraw)),
    ]


def _code_routes(desk: WalletDesk) -> list[BaseRoute]:
    def show(request: Request, wallet_id: str) -> Response:
        wallet = show_wallet(desk.issuer, wallet_id)
        view = _palm_view(desk, request, wallet)
        response = desk.dress.render("wallet/palm.html", view)
        return response if view.code else forget(response, CODE_COOKIE)

    def give(request: Request, wallet_id: str, _: NoFields) -> Response:
        return _give_code(desk, request, wallet_id)

    return [
        page("/wallet/palm", signed_in(desk, show)),
        form("/wallet/palm/code", NoFields, signed_in_form(desk, give)),
    ]


def _change_routes(desk: WalletDesk) -> list[BaseRoute]:
    def pause(request: Request, wallet_id: str, _: NoFields) -> Response:
        pause_palm(desk.issuer, wallet_id, palm_id=request.path_params["palm"])
        return go("/wallet/palm")

    def resume(request: Request, wallet_id: str, _: NoFields) -> Response:
        resume_palm(desk.issuer, wallet_id, palm_id=request.path_params["palm"])
        return go("/wallet/palm")

    def ask(request: Request, _: str) -> Response:
        return desk.dress.render("wallet/delete_palm.html", DeleteView(request.path_params["palm"]))

    def delete(request: Request, wallet_id: str, _: NoFields) -> Response:
        erase_palm(desk.issuer, wallet_id, palm_id=request.path_params["palm"])
        return delivering(desk, forget(go("/wallet/palm"), CODE_COOKIE))

    return [
        form("/wallet/palms/{palm}/pause", NoFields, signed_in_form(desk, pause)),
        form("/wallet/palms/{palm}/resume", NoFields, signed_in_form(desk, resume)),
        page("/wallet/palms/{palm}/delete", signed_in(desk, ask)),
        form("/wallet/palms/{palm}/delete", NoFields, signed_in_form(desk, delete)),
    ]


def _give_code(desk: WalletDesk, request: Request, wallet_id: str) -> Response:
    given = give_enrolment_code(desk.issuer, wallet_id)
    if isinstance(given, EnrolmentCode):
        # A wallet has one code at a time: the one for a card is void now.
        response = forget(go("/wallet/palm"), CARD_CODE_COOKIE)
        return remember(request, response, cookie=CODE_COOKIE, value=f"{given.code}.{given.expires_at_ms}")
    if given.reason is DeclineReason.CONSENT_MISSING:
        return go("/wallet/consent")
    wallet = show_wallet(desk.issuer, wallet_id)
    view = msgspec.structs.replace(_palm_view(desk, request, wallet), wrong=NO_CODE[given.reason])
    return desk.dress.render("wallet/palm.html", view, status=409)


def _palm_view(desk: WalletDesk, request: Request, wallet: WalletView) -> PalmView:
    now_ms = desk.issuer.clock()
    waiting = waiting_code(request.cookies.get(CODE_COOKIE, ""), wallet, now_ms=now_ms)
    code = waiting.code if waiting else ""
    cards = cards_of(wallet)
    said = (code, wallet.consent_version or "", *(f"{card.palm_id}{card.title}" for card in cards))
    return PalmView(
        version=" ".join(said),
        cards=cards,
        erased=count_erased(wallet),
        code=code,
        seconds_left=(waiting.expires_at_ms - now_ms) // 1000 if waiting else 0,
        consent_version=wallet.consent_version or "",
        can_add=can_add_palm(wallet),
        is_moving=bool(code) or any(card.tone == "wait" for card in cards),
        wrong="",
    )
