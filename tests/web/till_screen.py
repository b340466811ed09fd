"""
Open the till's page in a real browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from handsel.log import Log
from handsel.web.app import build_app
from handsel.web.simulated_camera import SimulatedCamera
from handsel.web.till_pages import till_error_page, till_routes
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.till.conftest import Till
from tests.web.browser import nothing
from tests.web.near_server import serving

PAGE_MS_MAX = 30_000


@contextmanager
def with_test_picture() -> Iterator[Browser]:
    """
    Give a browser whose camera plays a test picture.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visited_till(chromium: Browser, till: Till, *, script: str = "", **wanted: Any) -> Iterator[Page]:
    """
    Open the till's page in a browser whose owner has `wanted` something of it; nothing fails in it.

    `script` runs before those of the page.
    """
    complaints: list[str] = []
    app = build_app(
        till_routes(till.agent, SimulatedCamera(), till.ways),
        log=Log("till", till.log),
        hosts=frozenset({"127.0.0.1"}),
        lifespan=nothing,
        error_page=till_error_page,
    )
    expect.set_options(timeout=PAGE_MS_MAX)
    with serving(app) as link, chromium.new_context(**wanted) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(script)
        page.goto(link.url)
        yield page
    assert complaints == []
