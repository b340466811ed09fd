"""
Promises of the hello: only the two of a pair can speak to each other.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from handsel.errors import AccessDenied
from handsel.matching.hello import accept_hello, dial_hello
from handsel.matching.masks import PairSecret

AB = PairSecret("a", "b", bytes([1] * 32))
BA = PairSecret("b", "a", bytes([1] * 32))
BC = PairSecret("b", "c", bytes([2] * 32))
AT_B = {"a": BA, "c": BC}
HELLO_BYTES = 1 + 32 + 32  # A name, a challenge and a proof.


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """
    Both ends of a stream, on which nobody waits for more than a second.
    """
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(1.0)
        yield one, other


def _accept(end: socket.socket) -> str:
    try:
        return accept_hello(end, "b", AT_B)
    finally:
        end.shutdown(socket.SHUT_RDWR)


def test_both_of_a_pair_know_each_other(ends: tuple[socket.socket, socket.socket]) -> None:
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(_accept, ends[1])
        dial_hello(ends[0], AB)

        assert accepted.result() == "a"


@pytest.mark.parametrize(
    "wrong",
    [
        replace(AB, secret=bytes([3] * 32)),  # Another secret.
        replace(AB, me="c"),  # A peer under the other peer's name.
        replace(AB, me="x"),  # Nobody.
        replace(AB, other="c"),  # Meant for somebody else.
    ],
)
def test_who_does_not_hold_the_pair_s_secret_is_refused(
    ends: tuple[socket.socket, socket.socket], wrong: PairSecret
) -> None:
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(_accept, ends[1])

        with pytest.raises(AccessDenied):
            dial_hello(ends[0], wrong)
        with pytest.raises(AccessDenied):
            accepted.result()


def test_who_accepts_must_hold_the_secret_too(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(bytes(32) + bytes(32))  # A challenge, and a proof that is none.

    with pytest.raises(AccessDenied):
        dial_hello(ends[0], AB)


def test_proof_of_the_dialler_is_no_proof_of_who_accepts(ends: tuple[socket.socket, socket.socket]) -> None:
    def reflect(end: socket.socket) -> None:
        end.sendall(bytes(32))
        end.sendall(end.recv(97)[-32:])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(reflect, ends[1])

        with pytest.raises(AccessDenied):
            dial_hello(ends[0], AB)


def test_who_says_nothing_is_not_waited_for(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.matching.hello.HELLO_TIMEOUT_S", 0.05)

    with pytest.raises(TimeoutError):
        accept_hello(ends[1], "b", AT_B)


def test_who_says_it_byte_by_byte_is_waited_for_no_longer(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handsel.matching.hello.HELLO_TIMEOUT_S", 0.2)

    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(_accept, ends[1])
        said = 0
        while not accepted.done() and said < HELLO_BYTES:
            with contextlib.suppress(BrokenPipeError):  # It was hung up on just now.
                ends[0].send(b"a")
            said += 1
            wait([accepted], timeout=0.1)

    assert isinstance(accepted.exception(), OSError)
    assert said < HELLO_BYTES
