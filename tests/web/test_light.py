"""
The till's page shows the lights that the agent asks for, slowly enough and readably, says which it showed, and shows
none to whoever wants no motion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from handsel.till.light import Light
from handsel.vision.quality import Reason
from handsel.web import pages
from tests.chromium import needs_chromium
from tests.till.conftest import Till
from tests.till.fakes import COFFEE, FakeAcquirer, Keyring, reading
from tests.web.legible import contrast, illegible, texts_seen
from tests.web.till_screen import visited_till, with_test_picture

CHANGE_MS_MIN = 500
SEEN_MS_MIN = 250
CLOCK_MS = 2  # By which a page's timers may be early.
BAD_FRAMES = 3
NOTE = "The screen changes colour while it looks at your hand."

# Note every change of the light, and each frame that leaves with what is shown then.
WATCH = """
window.changes = [];
window.sent = [];
const shown = () => document.documentElement?.dataset.light ?? "";
const noted = () => changes.push([performance.now(), shown()]);
new MutationObserver(noted).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-light"] });
const plain = window.fetch;
window.fetch = (address, ...rest) => {
  if (String(address).startsWith("/v1/frames")) sent.push([performance.now(), shown(), String(address)]);
  return plain(address, ...rest);
};
"""


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    """
    Return the keys of all parties.
    """
    return Keyring.generate()


@pytest.fixture
def till(keyring: Keyring, tmp_path: Path) -> Till:
    """
    Return a till that shows lights and is asked for a coffee.
    """
    till = Till(keyring, tmp_path, FakeAcquirer(keyring), lights=tuple(Light))
    till.acquirer.told = COFFEE
    till.agent.poll()
    return till


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """
    Return a browser whose camera plays a test picture.
    """
    with with_test_picture() as browser:
        yield browser


@contextmanager
def visited(chromium: Browser, till: Till, **wanted: Any) -> Iterator[Page]:
    """
    Open the till's page in a browser whose owner has `wanted` something of it, and note what it shows.
    """
    with visited_till(chromium, till, script=WATCH, **wanted) as page:
        yield page


def pay(till: Till, page: Page) -> list[tuple[float, str, str]]:
    """
    Hold out a hand that is too far away at first, and return when each frame was sent, the light then, and that sent.
    """
    till.reader.sights = [*[Reason.TOO_FAR] * BAD_FRAMES, reading(1), reading(1, shot=1), reading(1, shot=2)]
    expect(page.locator("[data-title]")).to_have_text("PAID")
    sent: list[tuple[float, str, str]] = page.evaluate("sent")
    return [(at, shown, parse_qs(urlsplit(address).query).get("light", [""])[0]) for at, shown, address in sent]


def stylesheet() -> str:
    """
    Return the till's stylesheet.
    """
    return (Path(pages.__file__).parent / "static" / "till.css").read_text()


@pytest.mark.parametrize(
    ("one", "ratio"), [("rgb(0, 0, 0)", 21), ("rgb(119, 119, 119)", 4.48), ("rgb(255, 255, 255)", 1)]
)
def test_contrast_is_that_of_the_guidelines(one: str, ratio: float) -> None:
    assert contrast(one, "rgb(255, 255, 255)") == pytest.approx(ratio, abs=0.01)


def test_the_page_paints_each_light_as_the_agent_knows_it() -> None:
    painted = re.findall(r':root\[data-light="(\w+)"\] \{ --light: rgb\((\d+) (\d+) (\d+)\); \}', stylesheet())

    assert {name: tuple(map(int, rgb)) for name, *rgb in painted} == {light.value: light.rgb for light in Light}


@pytest.mark.journey
@needs_chromium
def test_the_page_shows_each_light_long_enough_and_says_which_it_was(chromium: Browser, till: Till) -> None:
    with visited(chromium, till) as page:
        expect(page.get_by_text(NOTE)).to_be_visible()
        sent = pay(till, page)
        changes = page.evaluate("changes")
        expect(page.get_by_text(NOTE)).to_be_hidden()

    lights = [light for _, _, light in sent if light]
    assert len(lights) >= BAD_FRAMES
    assert all(light in ("", shown) for _, shown, light in sent)
    assert all(one != other for one, other in pairwise(lights)) and set(lights) <= set(Light)
    assert changes[-1][1] == ""
    lit = [at for at, shown in changes if shown]
    assert all(after - before >= CHANGE_MS_MIN - CLOCK_MS for before, after in pairwise(lit))
    for at, _, light in sent:
        changed = max(since for since, _ in changes if since <= at)
        assert not light or at - changed >= SEEN_MS_MIN - CLOCK_MS


@pytest.mark.journey
@needs_chromium
def test_who_wants_no_motion_is_shown_no_light(chromium: Browser, till: Till) -> None:
    with visited(chromium, till, reduced_motion="reduce") as page:
        sent = pay(till, page)

        assert {(shown, light) for _, shown, light in sent} == {("", "")}
        assert page.evaluate("changes") == []


@pytest.mark.journey
@needs_chromium
def test_a_drawn_hand_is_lit_by_nothing(chromium: Browser, till: Till) -> None:
    with visited(chromium, till) as page:
        page.get_by_label("Camera", exact=True).select_option("drawn")
        expect(page.locator("video")).to_be_hidden()
        expect(page.get_by_text(NOTE)).to_be_hidden()
        page.evaluate("sent.length = 0")
        page.get_by_role("button", name="Ada").click()
        sent = pay(till, page)

    assert {(shown, light) for _, shown, light in sent} == {("", "")}


@pytest.mark.journey
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_every_light(chromium: Browser, till: Till, scheme: Literal["light", "dark"]) -> None:
    with visited(chromium, till, color_scheme=scheme) as page:
        expect(page.get_by_text(NOTE)).to_be_visible()
        texts = {light: texts_seen(page, light=light.value) for light in Light}

    for light, seen in texts.items():
        assert ("rgb({}, {}, {})".format(*light.rgb)) in {behind for _, _, behind in seen}
        assert NOTE in {text for text, _, _ in seen}
        assert illegible(seen) == {}
