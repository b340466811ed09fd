"""
Show a receipt to whoever has its code, and prove it. There is no palm, no wallet and no name on it.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.prove_payments import prove_receipt
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.pay.payment import Receipt
from handsel.web.download import json_file
from handsel.web.pages import Dress, page


class ReceiptView(msgspec.Struct, frozen=True):
    """
    Show a receipt and the code that leads to it.
    """

    receipt: Receipt
    code: str


def receipt_routes(acquirer: Acquirer, dress: Dress) -> list[Route]:
    """
    Return the routes of the receipts. The code is unguessable, and no log has it: logs name a route by its pattern.
    """

    def receipt(request: Request) -> Response:
        code = str(request.path_params["code"])
        return dress.render("receipt.html", ReceiptView(show_receipt(acquirer, code), code))

    def proof(request: Request) -> Response:
        return json_file(prove_receipt(acquirer, str(request.path_params["code"])), "receipt-proof.json")

    return [page("/receipts/{code}", receipt), page("/receipts/{code}/proof.json", proof)]
