"""
Serve the page on which a person sets a PIN, adds passkeys, and lowers the limits of the own wallet.

Each route calls one flow of the issuer and renders what it answers. No page ever shows a PIN.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.errors import BodyInvalid, PasskeyInvalid
from handsel.flows.issuing.keep_passkey import add_passkey, offer_passkey, remove_passkey
from handsel.flows.issuing.set_pin import remove_pin, set_own_limits, set_pin, unlock_pin
from handsel.flows.issuing.show_factors import FactorsView, show_factors
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.limits import PIN_DIGITS_MAX
from handsel.pay.limit import OwnLimits
from handsel.pay.money import Money, parse_amount
from handsel.web.pages import NoFields, form, go, page, sentence
from handsel.web.wallet_desk import WalletDesk, signed_in, signed_in_form


class PinFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Set a PIN, typed twice.
    """

    pin: str
    again: str

    def __repr__(self) -> str:
        """
        Return nothing of the PIN.
        """
        return "PinFields()"


class LimitFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Set limits of one's own; an empty one is none.
    """

    alone: str = ""
    at_a_time: str = ""
    in_day: str = ""


class PasskeyFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bring a browser's answer about a passkey.
    """

    response: str

    def __repr__(self) -> str:
        """
        Return nothing of the answer.
        """
        return "PasskeyFields()"


class RemoveFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Name the passkey that is removed.
    """

    passkey: str


class LimitView(msgspec.Struct, frozen=True):
    """
    Show one limit: the bank's, and what stands in the field of the own one.
    """

    name: str
    label: str
    most: Money
    own: str


class SafetyView(msgspec.Struct, frozen=True):
    """
    Show PIN, passkeys and limits; `wrong_pin` and `wrong_limit` say why something was not taken.
    """

    factors: FactorsView
    limits: tuple[LimitView, ...]
    alone_since: str
    digits_min: int
    digits_max: int
    offers_passkeys: bool
    is_closed: bool
    wrong_pin: str = ""
    wrong_limit: str = ""


class NewPasskeyView(msgspec.Struct, frozen=True):
    """
    Offer a new passkey: `options` is what the browser makes it with.
    """

    options: str


def safety_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """

    def show(_: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/safety.html", _view(desk, wallet_id))

    return [
        page("/wallet/safety", signed_in(desk, show)),
        *_pin_routes(desk),
        *_passkey_routes(desk),
        form("/wallet/limits", LimitFields, signed_in_form(desk, lambda _, wallet, typed: _lower(desk, wallet, typed))),
    ]


def _pin_routes(desk: WalletDesk) -> list[BaseRoute]:
    def choose(_: Request, wallet_id: str, fields: PinFields) -> Response:
        try:
            if fields.pin != fields.again:
                raise BodyInvalid("the two are not the same: type the new PIN twice")
            set_pin(desk.issuer, wallet_id, typed=fields.pin)
        except BodyInvalid as exc:
            view = _view(desk, wallet_id, wrong_pin=sentence(exc))
            return desk.dress.render("wallet/safety.html", view, status=400)
        return go("/wallet/safety")

    def remove(_: Request, wallet_id: str, __: NoFields) -> Response:
        remove_pin(desk.issuer, wallet_id)
        return go("/wallet/safety")

    def unlock(_: Request, wallet_id: str, __: NoFields) -> Response:
        unlock_pin(desk.issuer, wallet_id)
        return go("/wallet/safety")

    return [
        form("/wallet/pin", PinFields, signed_in_form(desk, choose)),
        form("/wallet/pin/remove", NoFields, signed_in_form(desk, remove)),
        form("/wallet/pin/unlock", NoFields, signed_in_form(desk, unlock)),
    ]


def _passkey_routes(desk: WalletDesk) -> list[BaseRoute]:
    def offer(_: Request, wallet_id: str, __: NoFields) -> Response:
        view = NewPasskeyView(offer_passkey(desk.issuer, wallet_id))
        return desk.dress.render("wallet/new_passkey.html", view)

    def add(_: Request, wallet_id: str, fields: PasskeyFields) -> Response:
        add_passkey(desk.issuer, wallet_id, response=fields.response)
        return go("/wallet/safety")

    def remove(_: Request, wallet_id: str, fields: RemoveFields) -> Response:
        try:
            passkey_id = bytes.fromhex(fields.passkey)
        except ValueError as exc:
            raise PasskeyInvalid("this wallet has no such passkey: load the page again") from exc
        remove_passkey(desk.issuer, wallet_id, passkey_id=passkey_id)
        return go("/wallet/safety")

    return [
        form("/wallet/passkeys/new", NoFields, signed_in_form(desk, offer)),
        form("/wallet/passkeys", PasskeyFields, signed_in_form(desk, add)),
        form("/wallet/passkeys/remove", RemoveFields, signed_in_form(desk, remove)),
    ]


def _lower(desk: WalletDesk, wallet_id: str, typed: LimitFields) -> Response:
    def minor(text: str) -> int | None:
        return parse_amount(text, currency=desk.issuer.currency).amount_minor if text.strip() else None

    try:
        own = OwnLimits(minor(typed.alone), minor(typed.at_a_time), minor(typed.in_day))
        set_own_limits(desk.issuer, wallet_id, own)
    except BodyInvalid as exc:
        view = _view(desk, wallet_id, wrong_limit=sentence(exc))
        return desk.dress.render("wallet/safety.html", view, status=400)
    return go("/wallet/safety")


def _view(desk: WalletDesk, wallet_id: str, *, wrong_pin: str = "", wrong_limit: str = "") -> SafetyView:
    issuer = desk.issuer
    factors = show_factors(issuer, wallet_id)
    rows = (
        ("alone", "By palm alone, at a time", issuer.limits.alone_per_payment, factors.own_alone_per_payment_minor),
        ("at_a_time", "With a PIN or a passkey, at a time", issuer.limits.per_payment, factors.own_per_payment_minor),
        ("in_day", "In 24 hours, with whatever", issuer.limits.per_day, factors.own_per_day_minor),
    )
    since = issuer.limits.alone_since
    return SafetyView(
        factors=factors,
        limits=tuple(LimitView(name, label, most, _plain(own, most.currency)) for name, label, most, own in rows),
        alone_since=str(since) if isinstance(since, Money) else f"{since} payments",
        digits_min=issuer.factors.digits_min,
        digits_max=PIN_DIGITS_MAX,
        offers_passkeys=issuer.factors.party is not None,
        is_closed=show_wallet(issuer, wallet_id).closed_at_ms is not None,
        wrong_pin=wrong_pin,
        wrong_limit=wrong_limit,
    )


def _plain(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(Money(minor, currency)).split()[0]
