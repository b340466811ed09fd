"""
Show anybody the heads of the tree over a party's ledger, and that it only grew.

There is nothing of a person or a shop in it. How many steps a ledger has, and so how many there are in an hour, is told
to whoever asks: docs/threat-model.md says what that gives away.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handsel.errors import BodyInvalid
from handsel.store.tree import Tree
from handsel.web.app import json_response


def tree_routes(tree: Tree) -> list[Route]:
    """
    Return the routes.
    """

    def head(_: Request) -> Response:
        return json_response(tree.head())

    def growth(request: Request) -> Response:
        sizes = [number_in(request, name) for name in ("first", "second")]
        return json_response(tree.growth(first=sizes[0], second=sizes[1]))

    def key(_: Request) -> Response:
        return json_response(tree.public)

    return [
        Route("/v1/tree_head", head, methods=["GET"]),
        Route("/v1/tree_consistency", growth, methods=["GET"]),
        Route("/v1/tree_key", key, methods=["GET"]),
    ]


def number_in(request: Request, name: str, default: str = "") -> int:
    """
    Return a whole number of the address. Raises `BodyInvalid`.
    """
    text = request.query_params.get(name, default)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BodyInvalid(f"{name} is a whole number")
    return int(text)
