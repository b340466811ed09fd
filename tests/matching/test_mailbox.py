"""
Promises of the mailboxes: messages come in order, and nothing grows without a bound.
"""

from __future__ import annotations

from threading import Thread
from time import monotonic

import pytest

from handsel.errors import EnvelopeInvalid, IdReused, PeerUnavailable
from handsel.matching import mailbox
from handsel.matching.frame import Frame, Kind
from handsel.matching.mailbox import EARLY_BYTES_MAX, EARLY_MAX, FRAMES_WAITING_MAX, Mailboxes

QUERY = bytes(16)


def _message(number: int, payload: bytes = b"x", *, query: bytes = QUERY) -> Frame:
    return Frame(query, number, Kind.MESSAGE, payload)


def _soon() -> float:
    return monotonic() + 0.02


def _later() -> float:
    return monotonic() + 5.0


def test_messages_of_each_sender_come_in_their_order() -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY) as box:
        for number in range(3):
            boxes.put("b", _message(number, b"b%d" % number))
            boxes.put("c", _message(number, b"c%d" % number))

        assert [box.take(sender, deadline_s=_soon()) for sender in "cbbc"] == [b"c0", b"b0", b"b1", b"c1"]


def test_message_is_waited_for() -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY) as box:
        sender = Thread(target=boxes.put, args=("b", _message(0, b"late")))
        sender.start()

        assert box.take("b", deadline_s=_later()) == b"late"
        sender.join()


def test_silence_ends_at_the_deadline() -> None:
    with Mailboxes().open(QUERY) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())


def test_opening_that_is_early_waits() -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0, b"early"))

    with boxes.open(QUERY) as box:
        assert box.take("b", deadline_s=_soon()) == b"early"
    with boxes.open(QUERY) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())


def test_later_opening_replaces_the_early_one() -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0, b"first attempt"))
    boxes.put("b", _message(0, b"second attempt"))

    with boxes.open(QUERY) as box:
        assert box.take("b", deadline_s=_soon()) == b"second attempt"


def test_sender_may_have_only_so_many_bytes_waiting_in_all_queries_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "BYTES_WAITING_MAX", 1000)
    boxes, other = Mailboxes(), bytes([1] * 16)
    with boxes.open(QUERY) as box, boxes.open(other) as second:
        boxes.put("b", _message(0, bytes(600)))
        boxes.put("c", _message(0, bytes(600)))  # Each sender has its own room.
        boxes.put("b", _message(0, bytes(401), query=other))

        assert len(box.take("b", deadline_s=_soon())) == 600
        with pytest.raises(PeerUnavailable):
            second.take("b", deadline_s=_soon())
    for _ in range(5):  # What was taken, or thrown away with its query, has given its room back.
        with boxes.open(QUERY) as box:
            boxes.put("b", _message(0, bytes(500)))
            boxes.put("b", _message(1, bytes(500)))
            box.take("b", deadline_s=_soon())


@pytest.mark.parametrize("end", [Frame(QUERY, 0, Kind.ABANDONED, b""), _message(3)])
def test_opening_of_a_query_that_was_given_up_is_forgotten(end: Frame) -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0))
    boxes.put("b", end)

    with boxes.open(QUERY) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())


def test_opening_of_a_peer_that_hung_up_is_forgotten() -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0))
    boxes.hang_up("b")

    with boxes.open(QUERY) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())


def test_old_openings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0))
    monkeypatch.setattr("handsel.matching.mailbox.EARLY_S_MAX", 0.0)

    with boxes.open(QUERY) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())


def test_openings_are_kept_up_to_a_number() -> None:
    boxes = Mailboxes()
    ids = [number.to_bytes(16, "big") for number in range(EARLY_MAX + 1)]
    for query in ids:
        boxes.put("b", _message(0, query=query))

    with boxes.open(ids[0]) as box, pytest.raises(PeerUnavailable):
        box.take("b", deadline_s=_soon())
    with boxes.open(ids[1]) as box:
        assert box.take("b", deadline_s=_soon()) == b"x"


def test_opening_that_is_too_long_is_refused() -> None:
    boxes = Mailboxes()
    boxes.put("b", _message(0, bytes(EARLY_BYTES_MAX)))

    with pytest.raises(EnvelopeInvalid):
        boxes.put("b", _message(0, bytes(EARLY_BYTES_MAX + 1)))


@pytest.mark.parametrize("wrong", [Frame(QUERY, 1, Kind.ABANDONED, b""), _message(0), _message(2)])
def test_query_fails_when_a_peer_gives_up_or_loses_count(wrong: Frame) -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY) as box:
        boxes.put("b", _message(0, b"good"))
        boxes.put("b", wrong)

        assert box.take("b", deadline_s=_later()) == b"good"
        with pytest.raises(PeerUnavailable):
            box.take("c", deadline_s=_later())


def test_query_fails_when_a_peer_hangs_up() -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY) as box:
        boxes.hang_up("c")

        with pytest.raises(PeerUnavailable):
            box.take("b", deadline_s=_later())


def test_query_fails_when_a_peer_floods_it() -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY) as box:
        for number in range(FRAMES_WAITING_MAX + 5):
            boxes.put("b", _message(number))

        for _ in range(FRAMES_WAITING_MAX):
            box.take("b", deadline_s=_soon())
        with pytest.raises(PeerUnavailable):
            box.take("b", deadline_s=_later())


def test_query_is_in_hand_once() -> None:
    boxes = Mailboxes()
    with boxes.open(QUERY), pytest.raises(IdReused), boxes.open(QUERY):
        pass
