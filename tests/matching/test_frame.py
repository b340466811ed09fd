"""
Promises of the frames: what goes in comes out, and what no matcher sends is refused.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from handsel.errors import EnvelopeInvalid
from handsel.matching.frame import FRAME_BYTES_MAX, Frame, Kind, dialogue_name, read_frame, write_frame

QUERY = bytes(range(16))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """
    Both ends of a stream.
    """
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.mark.parametrize("length", [0, 1, 1 << 14, (1 << 14) + 1, 3_000_000])
def test_frames_come_out_as_they_went_in(ends: tuple[socket.socket, socket.socket], length: int) -> None:
    frames = [Frame(QUERY, 7, Kind.MESSAGE, b"x" * length), Frame(QUERY, 0, Kind.ABANDONED, b"")]

    with ThreadPoolExecutor(1) as pool:
        for frame in frames:
            pool.submit(write_frame, ends[0], frame, deadline_s=monotonic() + 5.0)
        received = [read_frame(ends[1]) for _ in frames]

    assert frames == received


def test_frame_has_one_deadline_however_many_parts_it_is_taken_in(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(10))
    monkeypatch.setattr("handsel.matching.frame.monotonic", lambda: next(seconds))

    # One second goes by for the header, one for what the socket holds, and then it is time.
    with pytest.raises(TimeoutError, match="not taken in time"):
        write_frame(ends[0], Frame(QUERY, 0, Kind.MESSAGE, bytes(10_000_000)), deadline_s=2)

    assert next(seconds) == 3


def test_frame_is_not_begun_after_its_time(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        write_frame(ends[0], Frame(QUERY, 0, Kind.MESSAGE, b"late"), deadline_s=monotonic())

    ends[0].close()
    assert read_frame(ends[1]) is None


def test_end_of_the_stream_is_none(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].close()

    assert read_frame(ends[1]) is None


def test_frame_that_breaks_off_is_none(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].sendall(struct.pack(">I16sHB", 10, QUERY, 0, 0) + b"short")
    ends[0].close()

    assert read_frame(ends[1]) is None


@pytest.mark.parametrize(("length", "kind"), [(FRAME_BYTES_MAX + 1, 0), (0, 2)])
def test_frame_that_is_too_long_or_of_no_kind_is_refused(
    ends: tuple[socket.socket, socket.socket], length: int, kind: int
) -> None:
    ends[0].sendall(struct.pack(">I16sHB", length, QUERY, 0, kind))

    with pytest.raises(EnvelopeInvalid):
        read_frame(ends[1])


def test_frame_does_not_print_its_payload() -> None:
    assert "secret" not in repr(Frame(QUERY, 0, Kind.MESSAGE, b"secret"))


def test_dialogues_of_two_purposes_never_have_one_name() -> None:
    names = {dialogue_name(purpose, content) for purpose in ("query", "renew") for content in (QUERY, b"", b"\0")}

    assert len(names) == 6
    assert {len(name) for name in names} == {16}
