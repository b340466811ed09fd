"""
Serve the pages on which a wallet is filled from an account at a bank: by transfer with a reference, or by direct debit.

Each route calls one flow of the issuer and renders what it answers. An account's number is typed here and never shown
again, but for its end. Where the issuer has no bank there is nothing here.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.bank.iban import parse_iban
from handsel.bank.orders import NAME_CHARS_MAX, Holder, OwnAccount
from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.bank_reference import bank_reference, renew_bank_reference
from handsel.flows.issuing.mandate import (
    COLLECTION_MINOR_MAX,
    MANDATE_VERSION,
    CollectionView,
    ask_collection,
    end_mandate,
    give_mandate,
    show_mandate,
)
from handsel.ids import new_id, require_id
from handsel.pay.money import Money, parse_amount
from handsel.web.pages import NoFields, form, go, page
from handsel.web.wallet_desk import WalletDesk, signed_in, signed_in_form, spell

_STATES = {
    "waiting": "Waiting for the next file to the bank",
    "ordered": "At the bank",
    "done": "In your wallet",
    "refused": "The bank did not collect it",
    "returned": "It came back",
}


class MandateFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give a mandate, once for each id. A box that is not ticked is not sent.
    """

    id: str
    version: str
    holder: str
    iban: str
    agreed: str = ""

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "MandateFields()"


class CollectFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for an amount to be collected, once for each id.
    """

    id: str
    amount: str


class CollectionLine(msgspec.Struct, frozen=True):
    """
    Show a collection and where it stands.
    """

    money: Money
    word: str


class BankView(msgspec.Struct, frozen=True):
    """
    Show how a wallet is filled. `account` is the end of the number from which is collected, or empty without a mandate.
    """

    holder: str
    iban: str
    bic: str
    reference: str
    collects: bool
    account: str
    mandate: str
    collections: tuple[CollectionLine, ...]
    request_id: str
    amount_max: Money
    wrong: str = ""

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "BankView()"


class MandateTextView(msgspec.Struct, frozen=True):
    """
    Show the text of a mandate, and ask for an account; `wrong` says why it was not given.
    """

    creditor: str
    creditor_id: str
    version: str
    request_id: str
    holder: str
    holder_chars_max: int
    wrong: str

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "MandateTextView()"


def bank_routes(desk: WalletDesk) -> list[BaseRoute]:
    """
    Return the routes.
    """
    return [*_transfer_routes(desk), *_debit_routes(desk)]


def _transfer_routes(desk: WalletDesk) -> list[BaseRoute]:
    def show(_: Request, wallet_id: str) -> Response:
        return desk.dress.render("wallet/bank.html", _view(desk, wallet_id))

    def renew(_: Request, wallet_id: str, __: NoFields) -> Response:
        _bank(desk)
        renew_bank_reference(desk.issuer, wallet_id)
        return go("/wallet/bank")

    return [
        page("/wallet/bank", signed_in(desk, show)),
        form("/wallet/bank/reference", NoFields, signed_in_form(desk, renew)),
    ]


def _debit_routes(desk: WalletDesk) -> list[BaseRoute]:
    def read(_: Request, __: str) -> Response:
        return desk.dress.render("wallet/mandate.html", _mandate_text(desk, "", ""))

    def give(_: Request, wallet_id: str, fields: MandateFields) -> Response:
        _bank(desk)
        try:
            if fields.agreed != "yes":
                raise BodyInvalid("tick the box first, if you agree")
            holder = Holder(fields.holder.strip(), parse_iban(fields.iban))
            give_mandate(desk.issuer, wallet_id, holder, mandate_id=require_id(fields.id), version=fields.version)
        except BodyInvalid as exc:
            view = _mandate_text(desk, fields.holder, str(exc))
            return desk.dress.render("wallet/mandate.html", view, status=400)
        return go("/wallet/bank")

    def end(_: Request, wallet_id: str, __: NoFields) -> Response:
        end_mandate(desk.issuer, wallet_id)
        return go("/wallet/bank")

    def ask(_: Request, wallet_id: str, fields: CollectFields) -> Response:
        _bank(desk)
        try:
            amount = parse_amount(fields.amount, currency=desk.issuer.currency)
            ask_collection(desk.issuer, wallet_id, collection_id=require_id(fields.id), amount=amount)
        except BodyInvalid as exc:
            view = msgspec.structs.replace(_view(desk, wallet_id), wrong=str(exc))
            return desk.dress.render("wallet/bank.html", view, status=400)
        return go("/wallet/bank")

    return [
        page("/wallet/bank/mandate", signed_in(desk, read)),
        form("/wallet/bank/mandate", MandateFields, signed_in_form(desk, give)),
        form("/wallet/bank/mandate/end", NoFields, signed_in_form(desk, end)),
        form("/wallet/bank/collections", CollectFields, signed_in_form(desk, ask)),
    ]


def _bank(desk: WalletDesk) -> OwnAccount:
    if desk.issuer.bank is None:
        raise NotFound("this wallet is not filled from a bank")
    return desk.issuer.bank


def _view(desk: WalletDesk, wallet_id: str) -> BankView:
    bank = _bank(desk)
    mandate, collections = show_mandate(desk.issuer, wallet_id)
    return BankView(
        holder=bank.holder.name,
        iban=bank.holder.iban.spelled,
        bic=bank.bic,
        reference=spell(bank_reference(desk.issuer, wallet_id)),
        collects=bool(bank.creditor_id),
        account=mandate.account_hint if mandate else "",
        mandate=mandate.id if mandate else "",
        collections=tuple(map(_line, collections)),
        request_id=new_id(),
        amount_max=Money(COLLECTION_MINOR_MAX, desk.issuer.currency),
    )


def _line(collection: CollectionView) -> CollectionLine:
    return CollectionLine(collection.money, _STATES[collection.state])


def _mandate_text(desk: WalletDesk, holder: str, wrong: str) -> MandateTextView:
    bank = _bank(desk)
    if not bank.creditor_id:
        raise NotFound("this bank does not collect by direct debit")
    return MandateTextView(
        *(bank.holder.name, bank.creditor_id, MANDATE_VERSION, new_id(), holder, NAME_CHARS_MAX, wrong)
    )
