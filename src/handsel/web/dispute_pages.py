"""
Serve disputes: anybody presents a receipt and hears what it proves, and a shop sees and answers what comes of it.

Who presents a receipt is not asked who that is, gets no cookie, and stands in no log.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from handsel.errors import BodyInvalid
from handsel.flows.acquiring.answer_dispute import refuse_dispute
from handsel.flows.acquiring.open_dispute import Examined, open_dispute
from handsel.flows.acquiring.refund_by_receipt import payment_of_receipt
from handsel.flows.acquiring.show_dispute import DisputedPayment, list_disputes, show_dispute
from handsel.flows.acquiring.withdraw_dispute import withdraw_dispute
from handsel.ids import new_id, require_id
from handsel.naming import naming_key_of
from handsel.pay.dispute import DISPUTABLE, DisputeStatus, Finding
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.receipt import CONTENT_BYTES, PayersReceipt
from handsel.web.app import decode_body
from handsel.web.pages import NoFields, form, go, page, sentence
from handsel.web.shop_code import ShopCode, write_shop_code
from handsel.web.shop_desk import ShopDesk, signed_in, signed_in_form

# The form has the receipt as its file has it: a statement in JSON within JSON, percent-encoded.
RECEIPT_FORM_BYTES_MAX = 4 * CONTENT_BYTES[-1]


class ReceiptFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Present a receipt, under an id for the case that may come of it.
    """

    id: str
    receipt: str

    def __repr__(self) -> str:
        """
        Return nothing of the receipt.
        """
        return "ReceiptFields()"


class FindFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Look for the payment of a receipt: its code, or the address that the till has shown.
    """

    receipt: str

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "FindFields()"


class PresentView(msgspec.Struct, frozen=True):
    """
    Ask for a receipt; `wrong` says why one was refused.
    """

    request_id: str
    wrong: str


class FindingView(msgspec.Struct, frozen=True):
    """
    Say what a receipt proves. `case` is the address of the case, where there is one.
    """

    title: str
    text: str
    tone: str
    case: str


class CaseView(msgspec.Struct, frozen=True):
    """
    Show a case to whoever has its address.
    """

    id: str
    title: str
    text: str
    tone: str
    money: Money
    opened_ms: int
    is_open: bool


class CaseLine(msgspec.Struct, frozen=True):
    """
    Show a case in one line, to its shop.
    """

    payment_id: str
    description: str
    money: Money
    opened_ms: int
    tone: str
    word: str


class CasesView(msgspec.Struct, frozen=True):
    """
    Show a shop its cases.
    """

    cases: tuple[CaseLine, ...]


class NamingView(msgspec.Struct, frozen=True):
    """
    Show a shop the code by which customers have it named.
    """

    shop: str
    code: str


_FINDINGS = {
    Finding.PAID_TO_MERCHANT: ("good", "The shop was paid", "The notes that this receipt names were paid to its shop."),
    Finding.PARTLY_REFUNDED: ("good", "Paid, and partly paid back", "A part of it went back to the wallet that paid."),
    Finding.REFUNDED: ("good", "Paid back", "All of it went back to the wallet that paid. Nothing is left to dispute."),
    Finding.AMOUNT_DIFFERS: ("bad", "The amount differs", "Our books have another sum than this receipt states."),
    Finding.NOTES_REFUSED: ("bad", "Not all notes were good", "The bank has not redeemed all notes of this payment."),
    Finding.NOT_IN_BOOKS: ("bad", "Not in our books", "We signed this receipt and have no such payment. Write to us."),
    Finding.NOT_OURS: ("bad", "Not ours", "Another payment service signed this receipt: present it there."),
    Finding.FORGED: ("bad", "Forged", "This receipt was changed, or we never signed it. It proves nothing."),
}
_DISPUTED_OFTEN = "It was disputed as often as it can be here: go to your bank, or to court, with the receipt."
_CASES = {
    DisputeStatus.OPEN: ("wait", "Open", "The shop sees it. It can pay back, or say no."),
    DisputeStatus.REFUNDED: ("good", "Paid back", "The shop has paid back to the wallet that paid."),
    DisputeStatus.REFUSED: ("bad", "The shop says no", "Go to your bank, or to court, with the receipt: it is signed."),
    DisputeStatus.WITHDRAWN: ("bad", "Withdrawn", "Whoever opened it has taken it back."),
}


def dispute_routes(desk: ShopDesk) -> list[BaseRoute]:
    """
    Return the routes: those that are for anybody, and those of the shop.
    """
    return [*_public_routes(desk), *_shop_routes(desk)]


def read_receipt_file(text: str) -> PayersReceipt:
    """
    Return the receipt in a file that a wallet has saved. Raises `BodyInvalid`.
    """
    try:
        return decode_body(text.strip().encode() or b"-", PayersReceipt)
    except BodyInvalid as exc:
        raise BodyInvalid("this is no receipt: take the whole file, as the wallet saved it") from exc


def _public_routes(desk: ShopDesk) -> list[BaseRoute]:
    def ask(_: Request) -> Response:
        return desk.dress.render("dispute.html", PresentView(new_id(), ""))

    def present(_: Request, fields: ReceiptFields) -> Response:
        try:
            receipt = read_receipt_file(fields.receipt)
            examined = open_dispute(desk.acquirer, require_id(fields.id), receipt, now_ms=desk.clock())
        except BodyInvalid as exc:
            wrong = sentence(exc)
            return desk.dress.render("dispute.html", PresentView(new_id(), wrong), status=400)
        return desk.dress.render("finding.html", _finding_view(examined))

    def case(request: Request) -> Response:
        return desk.dress.render("case.html", _case_view(show_dispute(desk.acquirer, _dispute_id(request))))

    def withdraw(request: Request, _: NoFields) -> Response:
        dispute = withdraw_dispute(desk.acquirer, _dispute_id(request), now_ms=desk.clock())
        return go(f"/disputes/{dispute.id}")

    return [
        page("/disputes", ask),
        form("/disputes", ReceiptFields, present, bytes_max=RECEIPT_FORM_BYTES_MAX),
        page("/disputes/{dispute}", case),
        form("/disputes/{dispute}/withdraw", NoFields, withdraw),
    ]


def _shop_routes(desk: ShopDesk) -> list[BaseRoute]:
    def cases(_: Request, merchant: Merchant) -> Response:
        found = list_disputes(desk.acquirer, merchant)
        return desk.dress.render("merchant/cases.html", CasesView(tuple(map(_case_line, found))))

    def refuse(request: Request, merchant: Merchant, _: NoFields) -> Response:
        dispute = refuse_dispute(desk.acquirer, merchant, _dispute_id(request), now_ms=desk.clock())
        return go(f"/payments/{dispute.payment_id}")

    def find(_: Request, merchant: Merchant, fields: FindFields) -> Response:
        typed = fields.receipt.strip().partition("#")[0].rstrip("/").rpartition("/")[2].lower()
        return go(f"/payments/{payment_of_receipt(desk.acquirer, merchant, typed).id}")

    def naming(_: Request, merchant: Merchant) -> Response:
        code = write_shop_code(ShopCode(merchant.name, naming_key_of(desk.acquirer.naming_secret(merchant.id))))
        return desk.dress.render("merchant/naming.html", NamingView(merchant.name, code))

    return [
        page("/cases", signed_in(desk, cases)),
        form("/cases/{dispute}/refuse", NoFields, signed_in_form(desk, refuse)),
        form("/payments/find", FindFields, signed_in_form(desk, find)),
        page("/naming", signed_in(desk, naming)),
    ]


def _dispute_id(request: Request) -> str:
    return require_id(str(request.path_params["dispute"]))


def _finding_view(examined: Examined) -> FindingView:
    tone, title, text = _FINDINGS[examined.finding]
    if examined.dispute is not None:
        return FindingView(title, text, tone, f"/disputes/{examined.dispute.id}")
    more = f" {_DISPUTED_OFTEN}" if examined.finding in DISPUTABLE else ""
    return FindingView(title, text + more, tone, "")


def _case_view(disputed: DisputedPayment) -> CaseView:
    dispute = disputed.dispute
    tone, title, text = _CASES[dispute.status]
    is_open = dispute.status is DisputeStatus.OPEN
    return CaseView(dispute.id, title, text, tone, disputed.payment.received, dispute.opened_ms, is_open)


def _case_line(disputed: DisputedPayment) -> CaseLine:
    dispute, payment = disputed.dispute, disputed.payment
    tone, word, _ = _CASES[dispute.status]
    return CaseLine(payment.id, payment.description, payment.received, dispute.opened_ms, tone, word)
