"""
Serve the customer's screen at a till, and what its script asks of the till's agent.

Frames go from the browser to the agent on the same machine, and nowhere else. Nothing here looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from handsel.errors import BadInput, NotFound
from handsel.order import Way
from handsel.till.agent_state import AgentState
from handsel.till.light import Light
from handsel.web.app import BODY_BYTES_MAX, decode_body, json_response, read_body, require_same_origin
from handsel.web.errors import ErrorBody
from handsel.web.faces import TILL
from handsel.web.pages import Dress, page, static_files
from handsel.web.simulated_camera import SimulatedCamera, SimulatedPerson


class TillAgent(Protocol):
    """
    Be what the screen talks to.
    """

    def state(self) -> AgentState:
        """
        Return what is on the screen.
        """

    def see(self, content: bytes, *, session: str, light: Light | None) -> AgentState:
        """
        Look at a picture, taken in `light`, if one of that moment is wanted, and return what is on the screen now.
        """

    def begin_enrolment(self, code: str, way: Way) -> AgentState:
        """
        Ask for the palm that belongs to a code, and return what is on the screen now.
        """

    def type_pin(self, typed: str, *, session: str) -> AgentState:
        """
        Hold a PIN for the hand that is shown next, and return what is on the screen now.
        """

    def card_picture(self, *, session: str) -> bytes:
        """
        Return the picture of a new card, while it is on the screen.
        """

    def cancel(self) -> AgentState:
        """
        Let go of what is asked for, and return what is on the screen now.
        """

    def retry(self) -> AgentState:
        """
        Ask once more, and return what is on the screen now.
        """


class CodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Type an enrolment code, and choose the way.
    """

    code: str
    way: Way = Way.OPEN_HAND

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "CodeBody()"


class PinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Type a PIN on the screen of that `session`.
    """

    pin: str
    session: str

    def __repr__(self) -> str:
        """
        Return nothing of the PIN.
        """
        return "PinBody()"


class NoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Press a button.
    """


class TillView(msgspec.Struct, frozen=True):
    """
    Show the screen, with the people who can hold out a drawn hand, if any, and the ways that are offered here.
    """

    people: tuple[SimulatedPerson, ...]
    ways: tuple[Way, ...]


def till_routes(agent: TillAgent, drawn: SimulatedCamera | None, ways: tuple[Way, ...]) -> list[BaseRoute]:
    """
    Return the routes of the screen. `drawn` is None unless the till offers simulated hands.
    """
    dress = Dress(TILL)

    def screen(_: Request) -> Response:
        return dress.render("till/till.html", TillView(drawn.people if drawn else (), ways))

    def state(_: Request) -> Response:
        return json_response(agent.state())

    def picture(request: Request) -> Response:
        if drawn is None:
            raise NotFound("this till offers no simulated hands")
        content = drawn.picture(request.path_params["person"], shot=request.path_params["shot"])
        return Response(content, headers={"Cache-Control": "no-store"}, media_type="image/jpeg")

    def card(request: Request) -> Response:
        content = agent.card_picture(session=request.query_params.get("session", ""))
        return Response(content, headers={"Cache-Control": "no-store"}, media_type="image/png")

    def enrol(_: Request, raw: bytes) -> AgentState:
        typed = decode_body(raw, CodeBody)
        return agent.begin_enrolment(typed.code, typed.way)

    def pin(_: Request, raw: bytes) -> AgentState:
        typed = decode_body(raw, PinBody)
        return agent.type_pin(typed.pin, session=typed.session)

    def see(request: Request, raw: bytes) -> AgentState:
        asked = request.query_params
        return agent.see(raw, session=asked.get("session", ""), light=_light_of(asked.get("light")))

    return [
        static_files(),
        page("/", screen),
        page("/v1/state", state),
        page("/v1/simulated/{person:int}/{shot:int}.jpg", picture),
        _press("/v1/frames", see),
        page("/v1/card.png", card),
        _press("/v1/enrolments", enrol),
        _press("/v1/pin", pin),
        _press("/v1/cancel", lambda _, raw: _without_body(raw, agent.cancel)),
        _press("/v1/retry", lambda _, raw: _without_body(raw, agent.retry)),
    ]


def till_error_page(request: Request, status: int, body: ErrorBody) -> Response:
    """
    Return the page that says what went wrong at the till.
    """
    return Dress(TILL).refuse(request, status, body)


def _press(path: str, answer: Callable[[Request, bytes], AgentState]) -> Route:
    async def respond(request: Request) -> Response:
        require_same_origin(request)
        raw = await read_body(request, BODY_BYTES_MAX)
        return json_response(await run_in_threadpool(answer, request, raw))

    return Route(path, respond, methods=["POST"])


def _light_of(name: str | None) -> Light | None:
    try:
        return None if name is None else Light(name)
    except ValueError as exc:
        raise BadInput(f"light is one of {', '.join(Light)}, or absent where the page showed none") from exc


def _without_body(raw: bytes, answer: Callable[[], AgentState]) -> AgentState:
    decode_body(raw, NoBody)
    return answer()
