"""
The till's screen: what it shows, what it passes to the agent, and whom it refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest

from handsel.errors import BodyInvalid, NotFound
from handsel.order import Way
from handsel.till.agent_state import AgentState
from handsel.till.light import Light
from handsel.vision.frame import decode_frame
from handsel.web.app import BODY_BYTES_MAX
from handsel.web.simulated_camera import PEOPLE, SHOTS_MAX, SimulatedCamera
from handsel.web.till_pages import TillAgent, till_error_page, till_routes
from tests.web.browser import Browser, said

WAYS = (Way.OPEN_HAND, Way.HELD_KEY)
POSTS = ["/v1/frames?session=s", "/v1/enrolments", "/v1/pin", "/v1/cancel", "/v1/retry"]


@dataclass
class FakeAgent:
    """
    Remember what was asked.
    """

    asked: list[tuple[str, ...]] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)

    def state(self) -> AgentState:
        return AgentState(screen="idle", session="s", wants_frames=False, message="Welcome.", may_enrol=True)

    def see(self, content: bytes, *, session: str, light: Light | None) -> AgentState:
        self.asked.append(("see", session, light or ""))
        self.seen.append(content)
        return self.state()

    def begin_enrolment(self, code: str, way: Way) -> AgentState:
        if not code.isdigit():
            raise BodyInvalid("type the code as it stands in your wallet")
        self.asked.append(("begin_enrolment", code, way))
        return self.state()

    def type_pin(self, typed: str, *, session: str) -> AgentState:
        self.asked.append(("type_pin", typed, session))
        return self.state()

    def card_picture(self, *, session: str) -> bytes:
        if session != "s":
            raise NotFound("there is no card to show")
        return b"png"

    def cancel(self) -> AgentState:
        self.asked.append(("cancel",))
        return self.state()

    def retry(self) -> AgentState:
        self.asked.append(("retry",))
        return self.state()


def visit(agent: TillAgent, *, drawn: SimulatedCamera | None = None) -> Browser:
    return Browser(till_routes(agent, drawn, WAYS), till_error_page)


def state_in(answer: httpx.Response) -> AgentState:
    return msgspec.json.decode(answer.content, type=AgentState)


def test_the_screen_says_what_the_till_sees_and_where_pictures_stay() -> None:
    page = said(visit(FakeAgent()).get("/"))

    assert "It sees your palm for a moment, a PIN that is typed, and the amount;" in page
    assert "pictures stay on this machine and are not kept" in page
    assert "It never sees who you are" in page


def test_the_state_is_the_agents_and_no_cache_keeps_it() -> None:
    agent = FakeAgent()

    answer = visit(agent).get("/v1/state")

    assert state_in(answer) == agent.state()
    assert answer.headers["cache-control"] == "no-store"


def test_a_frame_goes_to_the_agent_as_it_is_with_the_moment_it_was_taken_for() -> None:
    agent = FakeAgent()

    answer = visit(agent).send("/v1/frames?session=abc", b"\xff\xd8jpeg")

    assert state_in(answer) == agent.state()
    assert (agent.asked, agent.seen) == ([("see", "abc", "")], [b"\xff\xd8jpeg"])


@pytest.mark.parametrize("light", Light)
def test_the_light_that_was_shown_goes_with_the_frame(light: Light) -> None:
    agent = FakeAgent()

    visit(agent).send(f"/v1/frames?session=abc&light={light}", b"\xff\xd8jpeg")

    assert agent.asked == [("see", "abc", light)]


@pytest.mark.parametrize("light", ["", "red", "AMBER", "amber,sky"])
def test_a_light_that_no_page_shows_is_refused_in_words(light: str) -> None:
    agent = FakeAgent()

    answer = visit(agent).send(f"/v1/frames?session=abc&light={light}", b"\xff\xd8jpeg")

    assert answer.status_code == 400
    assert "amber, sky, pink" in answer.json()["error"]["message"]
    assert agent.asked == []


@pytest.mark.parametrize(("size", "status"), [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 400)])
def test_a_frame_is_bounded(size: int, status: int) -> None:
    agent = FakeAgent()

    answer = visit(agent).send("/v1/frames?session=s", bytes(size))

    assert answer.status_code == status
    assert len(agent.seen) == (status == 200)


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("/v1/enrolments", b'{"code": "12345678"}', ("begin_enrolment", "12345678", "open_hand")),
        (
            "/v1/enrolments",
            b'{"code": "12345678", "way": "held_key"}',
            ("begin_enrolment", "12345678", "held_key"),
        ),
        ("/v1/pin", b'{"pin": "402917", "session": "s"}', ("type_pin", "402917", "s")),
        ("/v1/cancel", b"{}", ("cancel",)),
        ("/v1/retry", b"{}", ("retry",)),
    ],
)
def test_a_button_reaches_the_agent(path: str, body: bytes, asked: tuple[str, ...]) -> None:
    agent = FakeAgent()

    answer = visit(agent).send(path, body)

    assert answer.status_code == 200
    assert agent.asked == [asked]


@pytest.mark.parametrize("body", [b"", b"{", b'{"code": 1}', b"{}", b'{"code": "1", "wallet": "x"}', b'{"code": "x"}'])
def test_a_body_that_is_no_code_is_refused_in_words(body: bytes) -> None:
    agent = FakeAgent()

    answer = visit(agent).send("/v1/enrolments", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert agent.asked == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8402", "null"])
def test_a_page_from_elsewhere_reaches_nothing(path: str, origin: str) -> None:
    agent = FakeAgent()

    assert visit(agent).send(path, b"{}", origin=origin).status_code == 401
    assert agent.asked == []


@pytest.mark.parametrize("path", ["/", "/v1/state", "/v1/simulated/1/0.jpg"])
def test_a_name_that_was_pointed_at_this_machine_is_refused(path: str) -> None:
    browser = Browser(till_routes(FakeAgent(), None, WAYS), till_error_page, origin="http://rebound.example:8403")

    assert browser.get(path).status_code == 421


def test_a_till_with_a_camera_only_offers_no_drawn_hand() -> None:
    browser = visit(FakeAgent())

    assert "Simulated hand" not in browser.get("/").text
    assert browser.get("/v1/simulated/1/0.jpg").status_code == 404


def test_a_simulated_camera_offers_every_person_by_name() -> None:
    page = visit(FakeAgent(), drawn=SimulatedCamera()).get("/").text

    offered = re.findall(r'data-person="(\d+)">(\w+)<', page)
    assert offered == [(str(person.seed), person.name) for person in PEOPLE]


def test_a_drawn_hand_is_a_picture_that_vision_can_decode() -> None:
    answer = visit(FakeAgent(), drawn=SimulatedCamera()).get("/v1/simulated/1/0.jpg")

    assert answer.headers["content-type"] == "image/jpeg"
    assert decode_frame(answer.content).width >= 640


@pytest.mark.parametrize("path", ["0/0", f"{len(PEOPLE) + 1}/0", f"1/{SHOTS_MAX}", f"1/{10**30}", "x/0", "1/-1"])
def test_there_is_no_picture_of_nobody(path: str) -> None:
    assert visit(FakeAgent(), drawn=SimulatedCamera()).get(f"/v1/simulated/{path}.jpg").status_code == 404


def test_a_new_card_is_a_picture_that_no_cache_keeps() -> None:
    answer = visit(FakeAgent()).get("/v1/card.png?session=s")

    assert (answer.content, answer.headers["content-type"]) == (b"png", "image/png")
    assert answer.headers["cache-control"] == "no-store"
    assert visit(FakeAgent()).get("/v1/card.png").status_code == 404


@pytest.mark.parametrize("ways", [(Way.OPEN_HAND,), (Way.HELD_KEY,), WAYS])
def test_the_screen_offers_the_ways_of_this_venue(ways: tuple[Way, ...]) -> None:
    text = Browser(till_routes(FakeAgent(), None, ways), till_error_page).get("/").text

    assert [way for way in Way if f'name="way" value="{way}"' in text] == list(ways)
    assert ("How do you want to pay?" in text) is (len(ways) > 1)
    assert ("data-card-note" in text) is (Way.HELD_KEY in ways)


def test_no_code_is_in_the_log() -> None:
    browser = visit(FakeAgent())
    browser.send("/v1/enrolments", b'{"code": "12345678"}')

    assert "12345678" not in browser.log.getvalue()
