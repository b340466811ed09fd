"""
Serve disputes as JSON: anybody presents a receipt, and a merchant's software sees and answers what comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from handsel.clock import Clock
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.answer_dispute import refuse_dispute
from handsel.flows.acquiring.open_dispute import open_dispute
from handsel.flows.acquiring.show_dispute import list_disputes, show_dispute
from handsel.flows.acquiring.sign_in import sign_in_merchant
from handsel.flows.acquiring.withdraw_dispute import withdraw_dispute
from handsel.ids import require_id
from handsel.pay.dispute import Dispute
from handsel.pay.merchant import Merchant
from handsel.receipt import PayersReceipt
from handsel.web.app import anyone, bearer_token, get, post
from handsel.web.bodies import Nothing

Path = Mapping[str, str]


class PresentedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Present a receipt. `id` is made by whoever asks, for the case that may come of it.
    """

    id: str
    receipt: PayersReceipt

    def __repr__(self) -> str:
        """
        Return nothing of the receipt.
        """
        return "PresentedBody()"


class DisputeBody(msgspec.Struct, frozen=True):
    """
    Show a case.
    """

    id: str
    finding: str
    status: str
    opened_ms: int


class ExaminedBody(msgspec.Struct, frozen=True):
    """
    Answer what a receipt proves, and with the case about its payment where there is one.
    """

    finding: str
    dispute: DisputeBody | None


class MerchantDisputeBody(msgspec.Struct, frozen=True):
    """
    Show a case to its merchant: about which payment it is. There is nothing of who opened it.
    """

    id: str
    payment_intent: str
    amount: int
    currency: str
    finding: str
    status: str
    opened_ms: int


class MerchantDisputesBody(msgspec.Struct, frozen=True):
    """
    Show a merchant's cases: the open ones first, then the newest.
    """

    disputes: tuple[MerchantDisputeBody, ...]


def dispute_api_routes(acquirer: Acquirer, clock: Clock) -> list[Route]:
    """
    Return the routes. Presenting and looking at a case are for anybody; a merchant is known by its key.
    """

    def caller(request: Request) -> Merchant:
        return sign_in_merchant(acquirer, bearer_token(request))

    def presented(_: None, __: Path, body: PresentedBody) -> ExaminedBody:
        examined = open_dispute(acquirer, require_id(body.id), body.receipt, now_ms=clock())
        return ExaminedBody(examined.finding.value, None if examined.dispute is None else _body(examined.dispute))

    def shown(_: None, path: Path) -> DisputeBody:
        return _body(show_dispute(acquirer, require_id(path["id"])).dispute)

    def withdrawn(_: None, path: Path, __: Nothing) -> DisputeBody:
        return _body(withdraw_dispute(acquirer, require_id(path["id"]), now_ms=clock()))

    def listed(merchant: Merchant, _: Path) -> MerchantDisputesBody:
        found = list_disputes(acquirer, merchant)
        return MerchantDisputesBody(
            tuple(
                MerchantDisputeBody(
                    id=case.dispute.id,
                    payment_intent=case.payment.id,
                    amount=case.payment.received.amount_minor,
                    currency=case.payment.amount.currency.lower(),
                    finding=case.dispute.finding.value,
                    status=case.dispute.status.value,
                    opened_ms=case.dispute.opened_ms,
                )
                for case in found
            )
        )

    def refused(merchant: Merchant, path: Path, _: Nothing) -> DisputeBody:
        return _body(refuse_dispute(acquirer, merchant, require_id(path["id"]), now_ms=clock()))

    return [
        post("/v1/disputes", anyone, PresentedBody, presented),
        get("/v1/disputes/{id}", anyone, shown),
        post("/v1/disputes/{id}/withdraw", anyone, Nothing, withdrawn),
        get("/v1/disputes", caller, listed),
        post("/v1/disputes/{id}/refuse", caller, Nothing, refused),
    ]


def _body(dispute: Dispute) -> DisputeBody:
    return DisputeBody(dispute.id, dispute.finding.value, dispute.status.value, dispute.opened_ms)
