"""
Serve the wallet's pages: open a wallet, sign in and out, see its money and history.

Each route calls one flow of the issuer and renders what it answers. What concerns a palm is in `palm_pages`, what
concerns a card in `card_pages`, PIN, passkeys and limits in `safety_pages`, a passkey's yes in `approval_pages`, what
concerns receipts in `receipt_pages`, what a person takes along and how one leaves in `leaving_pages`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.errors import AccessDenied, NotFound
from handsel.flows.issuing.approve_payment import waiting_payments
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_wallet import open_wallet, wallet_of
from handsel.flows.issuing.show_wallet import HISTORY_PAGE, HistoryLine, show_wallet, wallet_history
from handsel.flows.issuing.top_up import top_up
from handsel.ids import new_id, require_id
from handsel.pay.money import Money
from handsel.web.approval_pages import approval_routes
from handsel.web.bank_pages import bank_routes
from handsel.web.card_pages import card_routes
from handsel.web.errors import ErrorBody
from handsel.web.faces import WALLET
from handsel.web.leaving_pages import leaving_routes
from handsel.web.pages import Dress, NoFields, forget, form, go, page, remember, static_files
from handsel.web.palm_pages import palm_routes
from handsel.web.palm_view import PalmSummary, summarise, waiting_code
from handsel.web.receipt_pages import receipt_routes
from handsel.web.safety_pages import safety_routes
from handsel.web.wallet_desk import (
    CODE_COOKIE,
    FRESH_COOKIE,
    KEY_COOKIE,
    WalletDesk,
    sign_out,
    signed_in,
    signed_in_form,
    spell,
    unspell,
    wallet_key,
)

LATEST = 5
TOP_UP_MINOR = 2000  # Twenty euros of play money at a tap.


class KeyFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Sign in with a key.
    """

    key: str

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "KeyFields()"


class TopUpFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Add play money, once for each id.
    """

    id: str


class WelcomeView(msgspec.Struct, frozen=True):
    """
    Greet a stranger; `wrong` says why a key did not open anything.
    """

    wrong: str


class KeyView(msgspec.Struct, frozen=True):
    """
    Tell the key of a new wallet.
    """

    key: str

    def __repr__(self) -> str:
        """
        Return nothing of the key.
        """
        return "KeyView()"


class EntryView(msgspec.Struct, frozen=True):
    """
    Show one line of the history.
    """

    number: int
    word: str
    text: str
    sign: str
    money: Money
    balance_after: Money
    at_ms: int


class EntriesView(msgspec.Struct, frozen=True):
    """
    Show a page of the history; the next one begins before `older`, where there is one.
    """

    entries: tuple[EntryView, ...]
    older: int | None


class HoldView(msgspec.Struct, frozen=True):
    """
    Show a sum that is reserved for later.
    """

    money: Money
    until_ms: int


class HomeView(msgspec.Struct, frozen=True):
    """
    Show a wallet.
    """

    number: str
    wallet: str
    balance: Money
    reserved: Money
    holds: tuple[HoldView, ...]
    top_up: Money | None
    request_id: str
    palm: PalmSummary
    card_state: str
    entries: tuple[EntryView, ...]
    is_closed: bool
    waiting: tuple[Money, ...]
    has_bank: bool


_WORDS = {
    "top_up": ("Demo money", "Play money from the sandbox. It buys nothing outside the demo."),
    "payment": (
        "Paid by palm",
        "Where and what for is not written here, because your bank does not know it. Your receipts say it.",
    ),
    "refund": ("Paid back", "A shop paid this back to your palm. Your bank does not know which."),
    "bank_top_up": ("Bank transfer", "From an account at a bank, with this wallet's reference."),
    "assigned_top_up": ("Bank transfer", "From an account at a bank; it was found later that it is for this wallet."),
    "direct_debit": ("Direct debit", "Collected from your account, as you asked."),
    "returned_debit": ("Direct debit taken back", "Your bank, or you, took the direct debit back."),
    "reversal": ("Bank transfer taken back", "The bank had stated it in error."),
    "closing": ("Paid out on closing", "What was left when the wallet was closed, paid back to where it came from."),
}


def wallet_routes(issuer: Issuer, deliver: Callable[[], object], *, sandbox: bool) -> list[BaseRoute]:
    """
    Return the routes of the wallet's pages.

    `deliver` sends the orders that wait for the matchers; it is called after an erasure. A sandbox has play money.
    """
    play_money = Money(TOP_UP_MINOR, issuer.currency) if sandbox else None
    desk = WalletDesk(issuer, Dress(WALLET), deliver, play_money)
    mine = (*_door_routes(desk), *_home_routes(desk), *palm_routes(desk), *card_routes(desk), *receipt_routes(desk))
    others = (*safety_routes(desk), *approval_routes(desk), *bank_routes(desk), *leaving_routes(desk))
    return [static_files(), *mine, *others]


def wallet_error_page(request: Request, status: int, body: ErrorBody) -> Response:
    """
    Return the page that says what went wrong at the wallet.
    """
    return Dress(WALLET).refuse(request, status, body)


def _door_routes(desk: WalletDesk) -> list[BaseRoute]:
    def welcome(request: Request) -> Response:
        return go("/wallet") if wallet_key(request) else desk.dress.render("wallet/welcome.html", WelcomeView(""))

    def open_one(request: Request, _: NoFields) -> Response:
        opened = open_wallet(desk.issuer)
        response = remember(request, go("/wallet/key"), cookie=KEY_COOKIE, value=opened.key)
        return remember(request, response, cookie=FRESH_COOKIE, value="yes")

    def tell_key(request: Request, _: str) -> Response:
        if FRESH_COOKIE not in request.cookies:
            return go("/wallet")
        return desk.dress.render("wallet/key.html", KeyView(spell(wallet_key(request))))

    def kept(_: Request, __: NoFields) -> Response:
        return forget(go("/wallet"), FRESH_COOKIE)

    def enter(request: Request, fields: KeyFields) -> Response:
        key = unspell(fields.key)
        try:
            wallet_of(desk.issuer, key)
        except AccessDenied:
            wrong = WelcomeView("No wallet has this key. Compare it with what you wrote down.")
            return desk.dress.render("wallet/welcome.html", wrong, status=401)
        return remember(request, go("/wallet"), cookie=KEY_COOKIE, value=key)

    def leave(_: Request, __: NoFields) -> Response:
        return sign_out()

    return [
        page("/", welcome),
        form("/wallets", NoFields, open_one),
        page("/wallet/key", signed_in(desk, tell_key)),
        form("/wallet/key/kept", NoFields, kept),
        form("/sign-in", KeyFields, enter),
        form("/sign-out", NoFields, leave),
    ]


def _home_routes(desk: WalletDesk) -> list[BaseRoute]:
    def home(request: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/home.html", _home_view(desk, request, wallet_id))

    def add_money(_: Request, wallet_id: str, fields: TopUpFields) -> Response:
        if desk.top_up is None:
            raise NotFound("play money is only given in the sandbox")
        top_up(desk.issuer, wallet_id, top_up_id=require_id(fields.id), amount=desk.top_up)
        return go("/wallet")

    def entries(request: Request, wallet_id: str) -> Response:
        before = _number(request.query_params.get("before", ""))
        lines = wallet_history(desk.issuer, wallet_id, before_number=before)
        older = lines[-1].number if len(lines) == HISTORY_PAGE else None
        return desk.dress.render("wallet/entries.html", EntriesView(tuple(map(_entry, lines)), older))

    def entry(request: Request, wallet_id: str) -> Response:
        number = _number(request.path_params["number"])
        lines = wallet_history(desk.issuer, wallet_id, before_number=(number or 0) + 1, limit=1)
        if not lines or lines[0].number != number:
            raise NotFound("this wallet has no such entry")
        return desk.dress.render("wallet/entry.html", _entry(lines[0]))

    return [
        page("/wallet", signed_in(desk, home)),
        form("/wallet/top-ups", TopUpFields, signed_in_form(desk, add_money)),
        page("/wallet/entries", signed_in(desk, entries)),
        page("/wallet/entries/{number}", signed_in(desk, entry)),
    ]


def _home_view(desk: WalletDesk, request: Request, wallet_id: str) -> HomeView:
    wallet = show_wallet(desk.issuer, wallet_id)
    lines = wallet_history(desk.issuer, wallet_id, limit=LATEST)
    is_closed = wallet.closed_at_ms is not None
    holds = tuple(HoldView(Money(hold.amount_minor, hold.currency), hold.until_ms) for hold in wallet.holds)
    under_way_minor = wallet.balance_minor - wallet.available_minor - sum(hold.amount_minor for hold in wallet.holds)
    waiting = waiting_code(request.cookies.get(CODE_COOKIE, ""), wallet, now_ms=desk.issuer.clock())
    return HomeView(
        number=spell(wallet.wallet_id[:16]),
        wallet=wallet.wallet_id[:16],
        balance=Money(wallet.balance_minor, wallet.currency),
        reserved=Money(under_way_minor, wallet.currency),
        holds=holds,
        top_up=None if is_closed else desk.top_up,
        request_id=new_id(),
        palm=summarise(wallet, is_awaited=waiting is not None),
        card_state=wallet.card.state if wallet.card else "",
        entries=tuple(map(_entry, lines)),
        is_closed=is_closed,
        waiting=tuple(one.amount for one in waiting_payments(desk.issuer, wallet_id) if one.approved_until_ms is None),
        has_bank=desk.issuer.bank is not None and not is_closed,
    )


def _entry(line: HistoryLine) -> EntryView:
    word, text = _WORDS.get(line.kind, (line.kind.replace("_", " ").capitalize(), ""))
    return EntryView(
        number=line.number,
        word=word,
        text=text,
        sign="+" if line.amount_minor > 0 else "−",
        money=Money(abs(line.amount_minor), line.currency),
        balance_after=Money(line.balance_after_minor, line.currency),
        at_ms=line.at_ms,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
