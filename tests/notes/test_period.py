"""
The three times of a key, and both sides of each.
"""

from __future__ import annotations

import secrets

import pytest

from handsel.errors import BodyInvalid
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import prepare
from handsel.notes.note import PublicNoteKeys
from handsel.notes.period import AHEAD_MS, DAY_MS, MARGIN_MS, OVERLAP_MS, Period, first_period, next_period
from tests.notes.fresh_keys import fresh_note_keys

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize("times", [(5, 5, 9), (5, 9, 9), (-1, 5, 9), (9, 5, 1)])
def test_the_times_stand_in_order(times: tuple[int, int, int]) -> None:
    with pytest.raises(BodyInvalid):
        Period(*times)


def test_a_key_signs_from_its_first_moment_to_before_its_last() -> None:
    period = Period(10, 20, 30)

    assert [period.signs_at(now_ms) for now_ms in (9, 10, 19, 20)] == [False, True, True, False]
    assert [period.redeems_at(now_ms) for now_ms in (9, 10, 29, 30)] == [False, True, True, False]


def test_the_next_period_overlaps_the_one_before() -> None:
    first = first_period(NOW_MS)

    second = next_period(first, now_ms=first.signs_until_ms - AHEAD_MS)

    assert second is not None
    assert first.valid_from_ms % DAY_MS == 0 and first.signs_at(NOW_MS)
    assert second.valid_from_ms == first.signs_until_ms - OVERLAP_MS


def test_who_was_away_for_years_begins_today() -> None:
    first = first_period(0)

    assert next_period(first, now_ms=NOW_MS) == first_period(NOW_MS)


@pytest.fixture(scope="module")
def renewed() -> NoteKeys:
    """
    Keys of one cent: a first period that began at 0, and the second.
    """
    keys = fresh_note_keys(denominations=(1,), period=first_period(0))
    again = keys.renewed(now_ms=first_period(0).signs_until_ms - AHEAD_MS)
    assert again is not None
    return again


def test_everybody_changes_an_hour_before_the_end(renewed: NoteKeys) -> None:
    old, new = renewed.public().keys
    change_ms = old.period.signs_until_ms - MARGIN_MS
    wanted = [old.period.valid_from_ms, new.period.valid_from_ms, change_ms - 1, change_ms, old.period.signs_until_ms]

    found = [renewed.public().for_denomination(1, currency="EUR", now_ms=now_ms) for now_ms in wanted]

    assert found == [old, old, old, new, new]


def test_a_key_in_its_last_hour_is_better_than_none(renewed: NoteKeys) -> None:
    alone = PublicNoteKeys(renewed.public().keys[:1])
    end_ms = alone.keys[0].period.signs_until_ms

    assert alone.for_denomination(1, currency="EUR", now_ms=end_ms - 1) == alone.keys[0]
    with pytest.raises(BodyInvalid):
        prepare(1, currency="EUR", keys=alone, random_bytes=secrets.token_bytes, now_ms=end_ms)
