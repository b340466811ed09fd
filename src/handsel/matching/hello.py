"""
Let two matchers prove to each other that they hold the secret of their pair, before a frame is read.

1. Who accepts sends a challenge of 32 bytes.
2. Who dials sends its name, a challenge of its own, and an HMAC over both challenges and both names.
3. Who accepts answers with an HMAC of its own. The two are labelled, so that neither can be sent back as the other.
"""

from __future__ import annotations

import hmac
import os
import socket
from collections.abc import Mapping
from time import monotonic

from handsel.errors import AccessDenied
from handsel.matching.masks import PairSecret

HELLO_TIMEOUT_S = 1.0
_CHALLENGE_BYTES = 32
_PROOF_BYTES = 32


def dial_hello(connection: socket.socket, secret: PairSecret) -> None:
    """
    Prove who dials, and check who accepted, within the socket's timeout. Raises `AccessDenied`, `OSError`.
    """
    deadline_s = monotonic() + (connection.gettimeout() or HELLO_TIMEOUT_S)
    theirs = _read(connection, _CHALLENGE_BYTES, deadline_s=deadline_s)
    mine = os.urandom(_CHALLENGE_BYTES)
    names = (secret.me + secret.other).encode()
    connection.sendall(secret.me.encode() + mine + _proof(secret, b"dial", names + theirs + mine))
    answer = _read(connection, _PROOF_BYTES, deadline_s=deadline_s)
    if not hmac.compare_digest(answer, _proof(secret, b"accept", names + theirs + mine)):
        raise AccessDenied("who answers at a peer's address does not hold the pair's secret")


def accept_hello(connection: socket.socket, me: str, secrets: Mapping[str, PairSecret]) -> str:
    """
    Check who dials, prove who accepted, and return the dialler's name. Raises `AccessDenied`, `OSError`.
    """
    connection.settimeout(HELLO_TIMEOUT_S)
    deadline_s = monotonic() + HELLO_TIMEOUT_S
    mine = os.urandom(_CHALLENGE_BYTES)
    connection.sendall(mine)
    name = _read(connection, 1, deadline_s=deadline_s).decode("ascii", errors="replace")
    theirs = _read(connection, _CHALLENGE_BYTES, deadline_s=deadline_s)
    proof = _read(connection, _PROOF_BYTES, deadline_s=deadline_s)
    if name not in secrets:
        raise AccessDenied("who dialled is not one of the three matchers")
    seen = (name + me).encode() + mine + theirs
    if not hmac.compare_digest(proof, _proof(secrets[name], b"dial", seen)):
        raise AccessDenied("who dialled does not hold the pair's secret")
    connection.sendall(_proof(secrets[name], b"accept", seen))
    connection.settimeout(None)
    return name


def _proof(secret: PairSecret, label: bytes, seen: bytes) -> bytes:
    return hmac.digest(secret.hello_key(), label + b"\0" + seen, "sha256")


def _read(connection: socket.socket, length: int, *, deadline_s: float) -> bytes:
    # Byte by byte, somebody could keep one of the few places at the door: all of it has one deadline.
    content = b""
    while len(content) < length:
        connection.settimeout(max(0.0, deadline_s - monotonic()))
        part = connection.recv(length - len(content))
        if not part:
            raise AccessDenied("the other end hung up before it said who it is")
        content += part
    return content
