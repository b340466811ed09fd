"""
A party's process: its port, its chores, its files.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette

from handsel.errors import PartyUnavailable, PortTaken
from handsel.log import Log
from handsel.wiring.serve import Chore, lifespan_of, private_files_only, served_hosts, take_port

HOST = "127.0.0.1"
WAIT_S_MAX = 10.0
OFTEN_S = 0.005


class Counted:
    """
    Be a chore that fails in its first rounds, and tell when enough rounds are over.
    """

    def __init__(self, failures: tuple[Exception, ...], rounds: int) -> None:
        self.failures = list(failures)
        self.rounds = rounds
        self.is_over = threading.Event()

    def __call__(self) -> None:
        """
        Be done once.
        """
        self.rounds -= 1
        if self.rounds <= 0:
            self.is_over.set()
        if self.failures:
            raise self.failures.pop(0)


def live(chore: Counted) -> list[dict[str, object]]:
    """
    Live until a chore has had its rounds, and return what was logged.
    """
    stream = io.StringIO()
    lifespan = lifespan_of((Chore("count", OFTEN_S, chore),), log=Log("test", stream))

    async def run() -> None:
        async with lifespan(Starlette()):
            await asyncio.to_thread(chore.is_over.wait, WAIT_S_MAX)

    asyncio.run(run())
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_taken_port_is_named() -> None:
    """
    The message says which port, and what to do.
    """
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"port {port} is in use: stop the other program, or choose another"):
            take_port(HOST, port)


def test_a_port_can_be_taken_again_once_it_is_free() -> None:
    """
    A restart does not wait for the operating system.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]

    take_port(HOST, port).close()
    take_port(HOST, port).close()


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    """
    Whoever is served on a taken port has its answer at once: small writes are not held back (Nagle's algorithm).
    """
    is_at_once: list[bool] = []

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = writer.get_extra_info("socket")
        is_at_once.append(answers.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
        writer.close()

    async def visit() -> None:
        listener = take_port(HOST, 0)
        async with await asyncio.start_server(note, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()

    asyncio.run(visit())

    assert is_at_once == [True]


def test_a_failing_chore_goes_on_and_is_logged_once() -> None:
    """
    A neighbour that is away for a while is said once, not at every round; the chore is done again and again.
    """
    away = PartyUnavailable("away")

    logged = live(Counted((away, away, away), rounds=6))

    failed = [(line["outcome"], line["code"]) for line in logged if line["event"] == "chore.failed"]
    assert failed == [("count", "party_unavailable")]


def test_a_chore_that_fails_in_another_way_is_logged_again_without_its_text() -> None:
    """
    Of an unexpected exception the class is logged, never the text.
    """
    logged = live(Counted((PartyUnavailable("away"), KeyError("wallet 4711")), rounds=4))

    assert [line["code"] for line in logged if line["event"] == "chore.failed"] == ["party_unavailable", "KeyError"]
    assert "4711" not in json.dumps(logged)


def test_a_failure_after_a_success_is_logged_anew() -> None:
    """
    Whoever was back and is away again is said again.
    """

    class OnAndOff(Counted):
        """
        Fail in every other round.
        """

        def __call__(self) -> None:
            """
            Be done once.
            """
            super().__call__()
            if self.rounds % 2:
                raise PartyUnavailable("away")

    logged = live(OnAndOff((), rounds=6))

    assert sum(line["event"] == "chore.failed" for line in logged) >= 2


def test_start_and_stop_frame_the_serving() -> None:
    """
    What was opened before the first request is closed after the last.
    """
    happened: list[str] = []
    lifespan = lifespan_of(
        (), log=Log("test", io.StringIO()), start=lambda: happened.append("start"), stop=lambda: happened.append("stop")
    )

    async def run() -> None:
        async with lifespan(Starlette()):
            happened.append("serve")

    asyncio.run(run())

    assert happened == ["start", "serve", "stop"]


def test_files_are_private_from_the_moment_that_they_are_made(tmp_path: Path) -> None:
    """
    No file is open to others even for a moment.
    """
    before = os.umask(0o022)
    try:
        private_files_only()
        (tmp_path / "file").write_text("")
    finally:
        os.umask(before)

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_party_answers_to_its_own_names_alone() -> None:
    """
    Loopback, the address it listens on, and its public name where it has one.
    """
    assert served_hosts("10.0.0.7") == {"127.0.0.1", "localhost", "10.0.0.7"}
    assert served_hosts("127.0.0.1", "wallet.example") == {"127.0.0.1", "localhost", "wallet.example"}
