"""
Serve wallets as JSON, for apps and scripts: the same flows as the wallet's pages, under the same words.

Who has a wallet's key has the wallet; it comes as a bearer token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.consent import CONSENT_VERSIONS, give_consent
from handsel.flows.issuing.deposit_receipt_keys import deposit_receipt_keys, keys_wanted
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.keep_card import pause_card, resume_card, revoke_card
from handsel.flows.issuing.name_shop import name_shop, stop_naming
from handsel.flows.issuing.open_wallet import open_wallet, wallet_of
from handsel.flows.issuing.pause_palm import pause_palm, resume_palm
from handsel.flows.issuing.show_receipts import delete_receipt, show_receipts
from handsel.flows.issuing.show_wallet import CardLine, HistoryLine, HoldLine, PalmLine, show_wallet, wallet_history
from handsel.flows.issuing.top_up import top_up
from handsel.ids import require_id
from handsel.order import Way
from handsel.pay.decline import Declined
from handsel.pay.money import Money
from handsel.web.app import anyone, bearer_token, get, post
from handsel.web.bodies import Nothing
from handsel.web.receipt_pages import KeysWantedBody, ReceiptsBody
from handsel.web.shop_code import read_shop_code


class OpenedBody(msgspec.Struct, frozen=True):
    """
    Answer with the key of a new wallet. It is told once.
    """

    wallet_key: str

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "OpenedBody()"


class TopUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for play money. `id` is made by the client.
    """

    id: str
    amount: int


class ConsentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give consent to the text that is in force for one way, by its version.
    """

    version: str
    way: Way = Way.OPEN_HAND


class WayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for a code, to enrol a palm or to have a card made.
    """

    way: Way = Way.OPEN_HAND


class OutcomeBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    Answer `done`, or `declined` and why.
    """

    status: str
    reason: str = ""


class CodeBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    Answer with a code to type at a till, or `declined` and why.
    """

    status: str
    code: str = ""
    expires_at_ms: int = 0
    reason: str = ""

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "CodeBody()"


class ReceiptKeysBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Deposit public keys for receipts, numbered from `first`.
    """

    first: int
    keys: tuple[bytes, ...]


class ShopCodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Have the shop of this code named on the statement, or no longer. Whoever asks has shown what it means.
    """

    code: str

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "ShopCodeBody()"


class WalletBody(msgspec.Struct, frozen=True):
    """
    Answer with what is in a wallet, the last movements, and what is reserved: amounts and times, never a shop.
    """

    balance: int
    currency: str
    palms: tuple[PalmLine, ...]
    card: CardLine | None
    history: tuple[HistoryLine, ...]
    holds: tuple[HoldLine, ...]


def wallet_api_routes(issuer: Issuer, deliver: Callable[[], object], *, sandbox: bool) -> list[Route]:
    """
    Return the routes. `deliver` sends the orders that wait for the matchers; it is called after an erasure.
    """

    def caller(request: Request) -> str:
        return wallet_of(issuer, bearer_token(request))

    def opened(_: None, __: Mapping[str, str], ___: Nothing) -> OpenedBody:
        return OpenedBody(open_wallet(issuer).key)

    def shown(wallet: str, _: Mapping[str, str]) -> WalletBody:
        view = show_wallet(issuer, wallet)
        history = wallet_history(issuer, wallet)
        return WalletBody(view.available_minor, view.currency, view.palms, view.card, history, view.holds)

    def topped_up(wallet: str, _: Mapping[str, str], body: TopUpBody) -> OutcomeBody:
        if not sandbox:
            raise NotFound("play money is only given in the sandbox")
        return _outcome(top_up(issuer, wallet, top_up_id=body.id, amount=Money(body.amount, issuer.currency)))

    def consented(wallet: str, _: Mapping[str, str], body: ConsentBody) -> OutcomeBody:
        in_force = CONSENT_VERSIONS[body.way]
        if body.version != in_force:
            raise BodyInvalid(f"the text in force is version {in_force}: read it, and agree to that one")
        give_consent(issuer, wallet, version=body.version, way=body.way)
        return OutcomeBody("done")

    def code(wallet: str, _: Mapping[str, str], body: WayBody) -> CodeBody:
        given = give_enrolment_code(issuer, wallet, way=body.way)
        if isinstance(given, EnrolmentCode):
            return CodeBody("done", given.code, given.expires_at_ms)
        return CodeBody("declined", reason=given.reason.value)

    return [
        post("/v1/wallets", anyone, Nothing, opened),
        get("/v1/wallet", caller, shown),
        post("/v1/wallet/top_ups", caller, TopUpBody, topped_up),
        post("/v1/wallet/consents", caller, ConsentBody, consented),
        post("/v1/wallet/enrolment_codes", caller, WayBody, code),
        *_receipt_routes(issuer, caller),
        *_palm_routes(issuer, caller, deliver),
        *_card_routes(issuer, caller),
    ]


def _receipt_routes(issuer: Issuer, caller: Callable[[Request], str]) -> list[Route]:
    def listed(wallet: str, _: Mapping[str, str]) -> ReceiptsBody:
        return ReceiptsBody(show_receipts(issuer, wallet))

    def deleted(wallet: str, path: Mapping[str, str], _: Nothing) -> OutcomeBody:
        delete_receipt(issuer, wallet, require_id(path["receipt"]))
        return OutcomeBody("done")

    def wanted(wallet: str, _: Mapping[str, str]) -> KeysWantedBody:
        keys = keys_wanted(issuer, wallet)
        return KeysWantedBody(keys.first, keys.count)

    def deposited(wallet: str, _: Mapping[str, str], body: ReceiptKeysBody) -> KeysWantedBody:
        keys = deposit_receipt_keys(issuer, wallet, body.keys, first=body.first)
        return KeysWantedBody(keys.first, keys.count)

    def named(wallet: str, _: Mapping[str, str], body: ShopCodeBody) -> OutcomeBody:
        code = read_shop_code(body.code)
        name_shop(issuer, wallet, shop=code.shop, naming_key=code.naming_key)
        return OutcomeBody("done")

    def stopped(wallet: str, _: Mapping[str, str], body: ShopCodeBody) -> OutcomeBody:
        stop_naming(issuer, wallet, naming_key=read_shop_code(body.code).naming_key)
        return OutcomeBody("done")

    return [
        get("/v1/wallet/receipts", caller, listed),
        post("/v1/wallet/receipts/{receipt}/delete", caller, Nothing, deleted),
        get("/v1/wallet/receipt_keys", caller, wanted),
        post("/v1/wallet/receipt_keys", caller, ReceiptKeysBody, deposited),
        post("/v1/wallet/named_shops", caller, ShopCodeBody, named),
        post("/v1/wallet/named_shops/stop", caller, ShopCodeBody, stopped),
    ]


def _palm_routes(issuer: Issuer, caller: Callable[[Request], str], deliver: Callable[[], object]) -> list[Route]:
    def paused(wallet: str, path: Mapping[str, str], _: Nothing) -> OutcomeBody:
        pause_palm(issuer, wallet, palm_id=path["palm"])
        return OutcomeBody("done")

    def resumed(wallet: str, path: Mapping[str, str], _: Nothing) -> OutcomeBody:
        resume_palm(issuer, wallet, palm_id=path["palm"])
        return OutcomeBody("done")

    def erased(wallet: str, path: Mapping[str, str], _: Nothing) -> OutcomeBody:
        erase_palm(issuer, wallet, palm_id=path["palm"])
        deliver()
        return OutcomeBody("done")

    return [
        post("/v1/wallet/palms/{palm}/pause", caller, Nothing, paused),
        post("/v1/wallet/palms/{palm}/resume", caller, Nothing, resumed),
        post("/v1/wallet/palms/{palm}/erase", caller, Nothing, erased),
    ]


def _card_routes(issuer: Issuer, caller: Callable[[Request], str]) -> list[Route]:
    def paused(wallet: str, _: Mapping[str, str], __: Nothing) -> OutcomeBody:
        pause_card(issuer, wallet)
        return OutcomeBody("done")

    def resumed(wallet: str, _: Mapping[str, str], __: Nothing) -> OutcomeBody:
        resume_card(issuer, wallet)
        return OutcomeBody("done")

    def revoked(wallet: str, _: Mapping[str, str], __: Nothing) -> OutcomeBody:
        revoke_card(issuer, wallet)
        return OutcomeBody("done")

    return [
        post("/v1/wallet/card/pause", caller, Nothing, paused),
        post("/v1/wallet/card/resume", caller, Nothing, resumed),
        post("/v1/wallet/card/revoke", caller, Nothing, revoked),
    ]


def _outcome(outcome: object) -> OutcomeBody:
    if isinstance(outcome, Declined):
        return OutcomeBody("declined", outcome.reason.value)
    return OutcomeBody("done")
