"""
Promises of the buckets: they differ where the stories do, and are read anew only where those have changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import msgspec
import pytest

from handsel.matching.buckets import (
    BUCKETS,
    ENTRIES_AT_ONCE_MAX,
    Buckets,
    Story,
    Tally,
    bounds_of,
    bucket_of,
    choose,
)
from handsel.matching.entry import ACTIVE, ERASED

FIRST, LAST = bytes(16), b"\xff" * 16


class Rows:
    """
    Hold stories, and say how often they were read.
    """

    def __init__(self, stories: Sequence[Story]) -> None:
        self.stories, self.reads = list(stories), list[tuple[bytes, bytes]]()

    def read(self, first: bytes, end: bytes) -> Iterable[Story]:
        """
        Return those from one id on and before another.
        """
        self.reads.append((first, end))
        return [story for story in self.stories if first <= story[0] < end]


def tallied(*stories: Story) -> Buckets:
    """
    Return the buckets of stories.
    """
    return Tally().buckets(Rows(stories).read)


def crowded(count: int, *, state: int) -> Buckets:
    """
    Return buckets of which each holds so many enrolments.
    """
    digests = b"".join(bytes([state]) * 32 for _ in range(BUCKETS))
    return Buckets(digests, count.to_bytes(4, "little") * BUCKETS)


def test_each_id_lies_between_the_bounds_of_its_bucket() -> None:
    for enrolment_id in (FIRST, LAST, *(os.urandom(16) for _ in range(50))):
        first, end = bounds_of(bucket_of(enrolment_id))
        assert first <= enrolment_id < end
    assert [bucket_of(FIRST), bucket_of(LAST)] == [0, BUCKETS - 1]
    assert all(bounds_of(bucket)[1] == bounds_of(bucket + 1)[0] for bucket in range(BUCKETS - 1))


def test_same_stories_have_the_same_buckets_in_whatever_order_they_are_read() -> None:
    one, other = (FIRST, ACTIVE, 1), (bytes([0] * 15 + [1]), ERASED, None)

    assert tallied(one, other) == tallied(other, one)


@pytest.mark.parametrize(
    "other", [(FIRST, ACTIVE, 2), (FIRST, ERASED, None), (FIRST, ACTIVE, None), (bytes([0] * 15 + [1]), ACTIVE, 1)]
)
def test_other_stories_have_other_buckets_and_only_there(other: Story) -> None:
    same = (LAST, ACTIVE, 7)

    assert choose([tallied((FIRST, ACTIVE, 1), same), tallied(other, same)], coin=b"") == [0]


def test_bucket_that_one_of_three_holds_otherwise_is_chosen() -> None:
    empty, full = tallied(), tallied((LAST, ACTIVE, 1))

    for three in ([empty, empty, full], [full, empty, empty], [empty, full, full]):
        assert choose(three, coin=b"") == [BUCKETS - 1]
    assert choose([full, full, full], coin=b"") == []


def test_only_what_has_changed_is_read_again() -> None:
    rows, tally = Rows([(FIRST, ACTIVE, 1), (LAST, ACTIVE, 2)]), Tally()
    before, first = tally.buckets(rows.read), len(rows.reads)
    rows.stories[0] = (FIRST, ERASED, None)
    tally.note(FIRST)

    after = tally.buckets(rows.read)
    tally.buckets(rows.read)

    assert rows.reads[first:] == [bounds_of(0)]
    assert choose([before, after], coin=b"") == [0]
    assert after == tallied(*rows.stories)
    tally.note_all()
    assert tally.buckets(rows.read) == after


def test_no_more_is_chosen_than_may_be_told_at_once_and_others_come_later() -> None:
    each = ENTRIES_AT_ONCE_MAX // 100
    mine, theirs = crowded(0, state=1), crowded(each, state=2)

    first, second = (choose([mine, theirs], coin=coin) for coin in (b"first", b"second"))

    assert len(first) == len(second) == 100
    assert set(first) != set(second)
    assert first == choose([theirs, mine], coin=b"first")


def test_bucket_that_is_too_large_is_told_alone() -> None:
    huge = crowded(ENTRIES_AT_ONCE_MAX + 1, state=2)

    assert len(choose([crowded(0, state=1), huge], coin=b"")) == 1


def test_buckets_of_a_wrong_length_do_not_parse() -> None:
    good = tallied()

    for wrong in ((good.digests[1:], good.counts), (good.digests, good.counts + b"\0")):
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode(wrong), type=Buckets)
