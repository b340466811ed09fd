"""
Promises of the exchange: only what differs is told, and no pending row.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from handsel.matching.buckets import bucket_of
from handsel.matching.dialogue import Seat
from handsel.matching.entry import Entry
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS
from handsel.matching.synchronise import learn_news
from tests.matching import ordered
from tests.matching.ordered import a_gallery, commit, erase
from tests.matching.vouched import VOUCHERS

SHARES = Shares(bytes(8), bytes(16), bytes(16))


@pytest.fixture
def galleries(tmp_path: Path) -> dict[str, Gallery]:
    """
    Three galleries with 20 rows each, the same, and a pending one.
    """
    enrolments = [(os.urandom(16), SHARES, VOUCHERS) for _ in range(21)]
    held = {name: a_gallery(tmp_path / name, me=name, dims=4) for name in MATCHERS}
    for gallery in held.values():
        gallery.keep_pending(enrolments, now_ms=0)
        for position, (enrolment_id, *_) in enumerate(enrolments[1:]):
            commit(gallery, enrolment_id, position=position)
    return held


def _news(galleries: dict[str, Gallery]) -> tuple[dict[str, tuple[Entry, ...]], dict[str, int]]:
    lockstep = Lockstep({name: learn_news(Seat(name), gallery, coin=b"") for name, gallery in galleries.items()})
    return dict(lockstep.run()), lockstep.sent_bytes


def test_where_nothing_differs_no_entry_is_told(galleries: dict[str, Gallery], monkeypatch: pytest.MonkeyPatch) -> None:
    for gallery in galleries.values():
        monkeypatch.setattr(gallery, "entries", None)

    assert _news(galleries)[0] == dict.fromkeys(MATCHERS, ())


def test_what_one_has_not_heard_is_told_with_its_order_and_nothing_else(
    galleries: dict[str, Gallery], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[Sequence[int]]()
    entries = galleries["a"].entries

    def noted(buckets: Sequence[int]) -> tuple[Entry, ...]:
        asked.append(buckets)
        return entries(buckets)

    monkeypatch.setattr(galleries["a"], "entries", noted)
    gone = galleries["a"].rows().ids[3].tobytes()
    for name in "ab":
        erase(galleries[name], gone, now_ms=0)

    news, sent = _news(galleries)

    assert news == {"a": (), "b": (), "c": (ordered.erased(gone),)}
    assert asked == [[bucket_of(gone)]]
    assert max(sent.values()) < 2 * 150_000


def test_pending_row_makes_no_difference(galleries: dict[str, Gallery]) -> None:
    galleries["a"].keep_pending([(os.urandom(16), SHARES, VOUCHERS)], now_ms=0)

    assert _news(galleries)[0] == dict.fromkeys(MATCHERS, ())
