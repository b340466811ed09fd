"""
Promises of a restore among three running matchers: the same palms are found, and what was lost is worth nothing.
"""

from __future__ import annotations

import io
import os
import shutil
import threading
from dataclasses import replace
from time import monotonic, sleep

import numpy as np
import pytest

from handsel.errors import GalleryEmpty, GalleryInUse, OrderTooOld, PeerUnavailable
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.matching import message
from handsel.matching.columns import Columns
from handsel.matching.matcher import Matcher
from handsel.matching.message import MATCHERS
from handsel.matching.restored import Restoration
from handsel.matching.ring import POINTS, Words, invert, multiply, multiply_words, subtract
from tests.matching.three import DIMS, Three, certificate_of, palm
from tests.matching.vouched import require_vouched

WAIT_S = 30.0
PALMS = 3
ALIASES = [os.urandom(16) for _ in range(PALMS)]


@pytest.fixture
def enrolled(three: Three) -> Three:
    """
    Three matchers that hold three palms.
    """
    for number in range(PALMS):
        three.enrol(palm(number), ALIASES[number], position=number + 1)
    return three


def lose(three: Three, name: str) -> None:
    """
    Have one matcher lose its disk.
    """
    three.stop(name)
    shutil.rmtree(three.root / name)
    three.start(name)


def order_restore(three: Three, name: str) -> None:
    """
    Order it as the issuer does: the one that lost its rows first.
    """
    order = three.signed("restore", new_id(), matcher=name)
    for matcher in sorted(MATCHERS, key=lambda one: one != name):
        three.matchers[matcher].carry_out(order.body, order.signature)


def settle(three: Three) -> None:
    """
    Wait until all is restored, and the shares are renewed, which follows by itself.
    """
    deadline_s = monotonic() + WAIT_S
    while any(matcher._restorer.is_under_way for matcher in three.matchers.values()):
        assert monotonic() < deadline_s
        sleep(0.02)
    for matcher in three.matchers.values():
        matcher._restorer._background.submit(int).result()
        matcher._refresher._background.submit(int).result()


def shares_of(matcher: Matcher) -> Words:
    """
    Return a matcher's shares of all palms.
    """
    rows = matcher._gallery.rows()
    return Columns.of(rows, start=0, stop=rows.count).templates


def failures(three: Three) -> set[type]:
    """
    Return how a query fails.
    """
    asked = three.ask(three.seal(three.queries(palm(0)[None, :]), message.QUERY))
    return {type(outcome) for outcome in asked.values()}


@pytest.mark.parametrize("lost", MATCHERS)
def test_matcher_that_lost_its_disk_gets_its_rows_back(enrolled: Three, lost: str) -> None:
    before = enrolled.matchers[lost]._gallery.rows().digest
    lose(enrolled, lost)
    assert GalleryEmpty in failures(enrolled)
    assert failures(enrolled) <= {GalleryEmpty, PeerUnavailable}
    assert enrolled.matchers[lost].health().status == "needs_restoring"

    order_restore(enrolled, lost)
    settle(enrolled)

    assert [enrolled.alias_of(palm(number)) for number in range(PALMS)] == ALIASES
    assert enrolled.alias_of(palm(50)) is None
    require_vouched({name: matcher._gallery for name, matcher in enrolled.matchers.items()})  # And all of them anew.
    assert {matcher.health().status for matcher in enrolled.matchers.values()} == {"ok"}
    assert len({matcher._gallery.rows().digest for matcher in enrolled.matchers.values()}) == 1
    assert enrolled.matchers[lost]._gallery.rows().digest != before  # For the shares were renewed.
    enrolled.enrol(palm(7), bytes(range(16)), position=7)
    assert enrolled.alias_of(palm(7)) == bytes(range(16))


def test_helper_that_lies_is_caught_and_the_order_has_ended(enrolled: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = enrolled.matchers["a"]._gallery.rows()
    templates = rows.segments[-1].templates.copy()
    templates[1, 5] += 1
    false = replace(rows, segments=(*rows.segments[:-1], replace(rows.segments[-1], templates=templates)))
    lose(enrolled, "c")
    monkeypatch.setattr(enrolled.matchers["a"]._gallery, "rows", lambda: false)

    order_restore(enrolled, "c")
    deadline_s = monotonic() + WAIT_S
    while enrolled.matchers["c"]._restorer.is_under_way:
        assert monotonic() < deadline_s
        sleep(0.02)

    stream = enrolled.matchers["c"]._log.stream
    assert isinstance(stream, io.StringIO)
    assert '"event": "gallery_not_restored", "code": "peer_cheated"' in stream.getvalue()
    assert enrolled.matchers["c"]._gallery.restoring.due() is None
    assert enrolled.matchers["c"]._gallery.rows().count == 0


def test_new_organisation_takes_the_place_of_one_with_keys_of_its_own(enrolled: Three) -> None:
    for name in MATCHERS:
        enrolled.stop(name)
    shutil.move(enrolled.root / "b", enrolled.root / "b-of-the-old-organisation")
    enrolled.keys["b"] = PartyKeys.generate()
    enrolled.parties["b"] = replace(
        enrolled.parties["b"], keys=enrolled.keys["b"].public(), certificate=certificate_of(enrolled.keys["b"], "b")
    )
    for name in MATCHERS:
        enrolled.start(name)

    order_restore(enrolled, "b")
    settle(enrolled)

    assert [enrolled.alias_of(palm(number)) for number in range(PALMS)] == ALIASES


def test_what_the_old_one_held_is_worth_nothing_with_what_others_hold_now(enrolled: Three) -> None:
    palms = np.stack([palm(number) for number in range(PALMS)]).astype(np.int16)
    old, other = shares_of(enrolled.matchers["b"]), shares_of(enrolled.matchers["a"])
    assert np.array_equal(_joined(other, old), palms)
    lose(enrolled, "b")

    order_restore(enrolled, "b")
    settle(enrolled)

    now = shares_of(enrolled.matchers["a"])
    assert np.array_equal(_joined(now, shares_of(enrolled.matchers["b"])), palms)
    mixed = _joined(now, old)
    assert np.mean(mixed == palms) < 0.02
    assert abs(np.corrcoef(mixed.ravel(), palms.ravel())[0, 1]) < 5 / np.sqrt(PALMS * DIMS)


def _joined(of_a: Words, of_b: Words) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    at_a, at_b = POINTS[:2]
    weight_a = multiply(at_b, invert(subtract(at_b, at_a)))
    weight_b = multiply(at_a, invert(subtract(at_a, at_b)))
    return (multiply_words(of_a, weight_a) + multiply_words(of_b, weight_b)).view(np.int16)


def test_enrolment_that_waited_through_a_restore_is_committed_at_all_three(enrolled: Three) -> None:
    enrolment = new_id()
    enrolled.combine(enrolled.ask_to_enrol(enrolled.enrolment(palm(9), bytes(range(16)), enrolment=enrolment)))
    lose(enrolled, "a")
    order_restore(enrolled, "a")
    settle(enrolled)

    enrolled.order("commit", enrolment, position=9)

    assert enrolled.alias_of(palm(9)) == bytes(range(16))
    assert enrolled.alias_of(palm(0)) == ALIASES[0]


def test_gallery_that_holds_rows_refuses_and_goes_on(enrolled: Three) -> None:
    with pytest.raises(GalleryInUse):
        order_restore(enrolled, "c")

    assert not any(matcher._restorer.is_under_way for matcher in enrolled.matchers.values())
    assert enrolled.alias_of(palm(0)) == ALIASES[0]


def test_helper_that_was_asked_in_vain_forgets_it_at_the_next_query(enrolled: Three) -> None:
    order = enrolled.signed("restore", new_id(), matcher="c")
    enrolled.matchers["a"].carry_out(order.body, order.signature)
    assert enrolled.matchers["a"].health().status == "restoring"

    assert enrolled.alias_of(palm(0)) == ALIASES[0]

    assert enrolled.matchers["a"]._gallery.restoring.due() is None
    settle(enrolled)
    assert enrolled.matchers["a"].health().status == "ok"


def test_order_is_confirmed_again_and_an_older_one_is_refused(enrolled: Three) -> None:
    lose(enrolled, "c")
    older = enrolled.signed("restore", new_id(), matcher="c")
    sleep(0.002)
    order_restore(enrolled, "c")
    settle(enrolled)
    digest = enrolled.matchers["c"]._gallery.rows().digest

    for name in MATCHERS:
        with pytest.raises(OrderTooOld):
            enrolled.matchers[name].carry_out(older.body, older.signature)
        found = enrolled.matchers[name]._gallery._stored.select(
            "SELECT body, signature FROM orders WHERE kind = 'restore'"
        )
        enrolled.matchers[name].carry_out(*found[0])

    assert not any(matcher._restorer.is_under_way for matcher in enrolled.matchers.values())
    assert enrolled.matchers["c"]._gallery.rows().digest == digest


def test_matcher_that_stops_in_the_middle_goes_on_after_its_start(
    enrolled: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, install = threading.Event(), Restoration.install

    def stop_here(*_: object, **__: object) -> None:
        begun.set()
        raise PeerUnavailable("stopped in the middle")

    lose(enrolled, "c")
    with monkeypatch.context() as patched:
        patched.setattr(Restoration, "install", stop_here)
        order_restore(enrolled, "c")
        assert begun.wait(WAIT_S)
        enrolled.stop("c")
    assert Restoration.install is install
    enrolled.start("c")
    settle(enrolled)

    assert [enrolled.alias_of(palm(number)) for number in range(PALMS)] == ALIASES


def test_log_says_how_far_it_is_and_nothing_of_a_row(enrolled: Three) -> None:
    lose(enrolled, "c")
    order_restore(enrolled, "c")
    settle(enrolled)

    stream = enrolled.matchers["c"]._log.stream
    assert isinstance(stream, io.StringIO)
    written = stream.getvalue()
    assert '"event": "gallery_restoring", "rows": 3, "count": 3' in written
    assert '"event": "gallery_restored", "rows": 3' in written
    for one in enrolled.matchers["c"]._gallery.rows().ids:
        assert one.tobytes().hex() not in written
