"""
Put messages on a stream between two matchers, and take them off again.

A frame is 4 bytes of length, 16 that name the dialogue, 2 of number, 1 of kind, then the payload; integers are
big-endian.
"""

from __future__ import annotations

import enum
import hashlib
import socket
import struct
from dataclasses import dataclass
from time import monotonic

from handsel.errors import EnvelopeInvalid, ensure
from handsel.ids import ID_BYTES
from handsel.matching.message import Octets

FRAME_BYTES_MAX = 1 << 26  # 12 bits of each of 32 views of a million rows are 48 MB.
_HEADER = struct.Struct(">I16sHB")
_JOIN_BYTES_MAX = 1 << 14  # Up to here header and payload go out as one.


def dialogue_name(purpose: str, content: bytes) -> bytes:
    """
    Return 16 bytes that name one dialogue. Whoever chooses the ids of queries cannot meet one of another purpose.
    """
    return hashlib.sha256(b"handsel/v1/dialogue/" + purpose.encode() + b"\0" + content).digest()[:ID_BYTES]


class Kind(enum.IntEnum):
    """
    Say what a frame means: a message of the dialogue, or that the sender has given the query up.
    """

    MESSAGE = 0
    ABANDONED = 1


@dataclass(frozen=True, repr=False)
class Frame:
    """
    Hold one message of one query. `number` counts a sender's messages to one peer from 0.
    """

    query_id: bytes
    number: int
    kind: Kind
    payload: Octets


def write_frame(connection: socket.socket, frame: Frame, *, deadline_s: float) -> None:
    """
    Send one frame. Raises `OSError`, also where it cannot be sent until `deadline_s`.
    """
    ensure(len(frame.payload) <= FRAME_BYTES_MAX, "a frame between matchers has a bounded length")
    header = _HEADER.pack(len(frame.payload), frame.query_id, frame.number, frame.kind)
    if len(frame.payload) <= _JOIN_BYTES_MAX:
        _write(connection, header + bytes(frame.payload), deadline_s=deadline_s)
    else:
        _write(connection, header, deadline_s=deadline_s)
        _write(connection, frame.payload, deadline_s=deadline_s)


def read_frame(connection: socket.socket) -> Frame | None:
    """
    Return the next frame, or None where the other end has hung up.

    Raises `OSError`, and `EnvelopeInvalid` for a frame that no matcher sends.
    """
    header = read_exactly(connection, _HEADER.size)
    if header is None:
        return None
    length, query_id, number, kind = _HEADER.unpack(header)
    if length > FRAME_BYTES_MAX or kind not in (Kind.MESSAGE, Kind.ABANDONED):
        raise EnvelopeInvalid("a matcher's peer sent a frame that no matcher sends")
    payload = read_exactly(connection, length)
    return None if payload is None else Frame(query_id, number, Kind(kind), payload)


def read_exactly(connection: socket.socket, length: int) -> bytearray | None:
    """
    Return the next `length` bytes, or None where the other end has hung up before. Raises `OSError`.
    """
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            return None
        view = view[count:]
    return buffer


def _write(connection: socket.socket, content: Octets, *, deadline_s: float) -> None:
    # `sendall` over TLS would wait anew for every record: a peer that reads slowly could keep us as long as it likes.
    view = memoryview(content)
    while view:
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise TimeoutError("a frame was not taken in time")
        connection.settimeout(left_s)
        view = view[connection.send(view) :]
