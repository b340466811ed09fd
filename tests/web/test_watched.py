"""
What a party has seen of another's heads is shown to everybody, and a contradiction loudly, for good.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import sync_playwright

from handsel.cli.main import main
from handsel.clock import system_clock
from handsel.log import Log
from handsel.proof.head import SignedHead
from handsel.store.database import Database
from handsel.store.heads_seen import HEADS_SEEN_SCHEMA
from handsel.store.tree_schema import TREE_SCHEMA
from handsel.watch_settings import WatchedParty
from handsel.web.faces import WALLET
from handsel.web.health import health_route
from handsel.web.pages import static_files
from handsel.web.tree import tree_routes
from handsel.web.wallet_pages import wallet_error_page
from handsel.web.watched import UNHEARD_MS_MIN, watched_routes
from handsel.wiring.watching import Watching
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.acquiring.street import Street
from tests.flows.watching.test_watch_heads import Shown
from tests.proof.small_book import PUBLIC
from tests.web.browser import Browser, said
from tests.web.legible import by_day_and_night, illegible
from tests.web.near_server import nobody, serving

SCHEMAS = (TREE_SCHEMA, HEADS_SEEN_SCHEMA)
NARROW = 320  # CSS pixels: WCAG 2.2, 1.4.10.


class Watcher:
    """
    Hold a party that watches an acquirer, with its pages and its log.
    """

    def __init__(self, directory: Path, url: str, key: bytes = PUBLIC.key) -> None:
        self.now_ms = system_clock()
        self.log = io.StringIO()
        self.database = Database.open(directory / "ledger.sqlite", schemas=SCHEMAS)
        self.watching = Watching(
            self.database,
            {"acquirer": WatchedParty(url, key)},
            party="acquirer",
            clock=lambda: self.now_ms,
            log=Log("issuer", self.log),
        )
        routes = watched_routes(self.watching.seen, lambda: self.now_ms, WALLET)
        self.browser = Browser([*routes, health_route(self.watching.contradicted), static_files()], wallet_error_page)

    def look(self) -> None:
        (chore,) = self.watching.chores()
        chore.run()

    def close(self) -> None:
        self.watching.close()
        self.database.close()

    def health(self) -> object:
        return self.browser.get("/v1/health").json()


@contextmanager
def showing(shown: Shown) -> Iterator[str]:
    """
    Serve what a book shows, as its party does.
    """

    class AsTree:
        public = PUBLIC
        head = staticmethod(shown.newest)
        growth = staticmethod(shown.growth)

    with serving(Browser(tree_routes(AsTree()), wallet_error_page).app) as link:  # type: ignore[arg-type]
        yield link.url


def test_what_was_seen_is_shown_with_its_signature(tmp_path: Path) -> None:
    shown = Shown(100, 200)
    with showing(shown) as url:
        watcher = Watcher(tmp_path, url)
        assert "Not heard yet" in said(watcher.browser.get("/watched"))
        assert watcher.browser.get("/v1/watched").json() == {"watched": []}

        watcher.look()

    assert "It only grew" in said(watcher.browser.get("/watched"))
    (line,) = watcher.browser.get("/v1/watched").json()["watched"]
    head = msgspec.convert(line["head"], type=SignedHead)
    assert head == shown.book.head() and head.verify(PUBLIC).size == 2
    assert watcher.health() == {"status": "ok"}
    watcher.now_ms += UNHEARD_MS_MIN
    assert "Not heard for a while" in said(watcher.browser.get("/watched"))
    watcher.close()


def see_another_history(tmp_path: Path) -> None:
    """
    Let the party that shows `Shown(100, 201)` have shown another before.
    """
    with showing(Shown(100, 200)) as url:
        first = Watcher(tmp_path, url)
        first.look()
        first.close()


def test_a_contradiction_is_on_page_health_and_log_after_a_restart_too(tmp_path: Path) -> None:
    see_another_history(tmp_path)
    with showing(Shown(100, 201)) as url:
        watcher = Watcher(tmp_path, url)
        watcher.look()
        watcher.look()
        watcher.close()
        again = Watcher(tmp_path, url)

    events = [json.loads(line) for line in watcher.log.getvalue().splitlines()]
    assert [(each["event"], each["outcome"], each["count"]) for each in events] == [
        ("heads.contradicted", "acquirer", 2)
    ] * 2
    for each in (watcher, again):
        assert each.health() == {"status": "ok", "contradicted": ["acquirer"]}
        assert "It contradicts itself" in said(each.browser.get("/watched"))
        (line,) = each.browser.get("/v1/watched").json()["watched"]
        assert msgspec.convert(line["contradicting"], type=SignedHead).verify(PUBLIC).size == 2
    again.close()


@needs_chromium
def test_the_page_fits_a_phone_and_can_be_read(tmp_path: Path) -> None:
    see_another_history(tmp_path)
    with showing(Shown(100, 201)) as url:
        watcher = Watcher(tmp_path, url)
        watcher.look()
    with sync_playwright() as playwright, serving(watcher.browser.app) as link:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        page = chromium.new_page(viewport={"width": NARROW, "height": 640})
        page.goto(f"{link.url}/watched")
        assert page.get_by_text("It contradicts itself").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
        assert illegible(by_day_and_night(page)) == {}
        chromium.close()
    watcher.close()


def test_the_real_tree_is_watched_while_payments_go_on(street: Street, tmp_path: Path) -> None:
    street.pay("ann", 450)
    tree = street.acquirer.tree
    tree.grow()
    with serving(Browser(tree_routes(tree), wallet_error_page).app) as link:
        watcher = Watcher(tmp_path / "issuer", link.url, tree.public.key)
        watcher.look()
        street.pay("ann", 700)
        tree.grow()
        watcher.look()
    watcher.close()

    seen = watcher.watching.seen()["acquirer"]
    assert seen is not None and (seen.head, seen.contradicting) == (tree.head(), None)


def test_a_saved_head_is_compared_with_what_a_party_shows_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Shown(100, 200)
    kept, now, key = (tmp_path / name for name in ("kept.json", "now.json", "tree.pub"))
    kept.write_bytes(msgspec.json.encode(shown.book.head()))
    key.write_bytes(msgspec.json.encode(PUBLIC))
    asked = ["verify-log", str(kept), "--key", str(key)]
    shown.book.add(300)
    with showing(shown) as url:
        assert main([*asked, "--at", url, "--save", str(now)]) == 0
    assert "when its ledger had 3 steps" in capsys.readouterr().out
    assert msgspec.json.decode(now.read_bytes(), type=SignedHead) == shown.book.head()

    for other in (Shown(100, 201), Shown(100, 201, 300), Shown(999)):
        with showing(other) as url:
            assert main([*asked, "--at", url, "--save", str(now)]) == 1
        assert "keep all files" in capsys.readouterr().out
        assert msgspec.json.decode(now.read_bytes(), type=SignedHead) == other.book.head()

    assert main([*asked, "--at", nobody().url]) == 69
    assert main([*asked, "--at", "http://bank:port"]) == 78
    assert main(asked) == 65
    of_both = ["verify-log", str(kept), str(now), "--key", str(key)]
    assert main([*of_both, "--at", "http://127.0.0.1:1"]) == 65
    assert main([*of_both, "--save", str(now)]) == 65
