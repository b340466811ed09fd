"""
Show a receipt to whoever has its code. There is no palm, no wallet and no name on it.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.show_receipt import show_receipt
from handsel.pay.payment import Receipt
from handsel.web.pages import Dress, page


class ReceiptView(msgspec.Struct, frozen=True):
    """
    Show a receipt and the code that leads to it.
    """

    receipt: Receipt
    code: str


def receipt_route(acquirer: Acquirer, dress: Dress) -> Route:
    """
    Return the route of the receipts. The code is unguessable, and no log has it: logs name a route by its pattern.
    """

    def receipt(request: Request) -> Response:
        code = str(request.path_params["code"])
        return dress.render("receipt.html", ReceiptView(show_receipt(acquirer, code), code))

    return page("/receipts/{code}", receipt)
