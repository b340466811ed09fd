"""
Promises of three matchers in three processes, one of which is killed, stopped and started again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic

import msgspec
import numpy as np
import pytest

from handsel.errors import PeerUnavailable
from handsel.ids import new_id
from handsel.matching import message
from handsel.matching.message import MATCHERS, Order
from handsel.matching.peers import QUERY_TIMEOUT_S
from handsel.matching.settings import Health
from tests.matching.served import serve
from tests.matching.three import Three, palm

pytestmark = pytest.mark.journey

ANSWER_S_MAX = 30.0
ALIASES = [os.urandom(16) for _ in range(3)]


class Processes:
    """
    Run the matchers of a `Three` in processes instead of threads.
    """

    def __init__(self, root: Path) -> None:
        self.three = Three(root)
        self.pipes: dict[str, Connection] = {}
        self.processes: dict[str, BaseProcess] = {}
        for name in MATCHERS:
            self.three.keys[name].save(root / f"{name}.keys")
            self.begin(name)
        for name in MATCHERS:
            assert self.reply(name) == "ready"

    def begin(self, name: str) -> None:
        """
        Start one process; it says when it is ready.
        """
        three = self.three
        self.pipes[name], theirs = get_context("spawn").Pipe()
        settled = (name, three.root, three.settings, three.issuer.public(), three.parties, theirs)
        self.processes[name] = get_context("spawn").Process(target=serve, args=settled, daemon=True)
        self.processes[name].start()
        theirs.close()

    def signal(self, name: str, number: signal.Signals) -> None:
        """
        Send one process a signal.
        """
        pid = self.processes[name].pid
        assert pid is not None
        os.kill(pid, number)

    def kill(self, name: str) -> None:
        """
        Kill one process as a power cut would.
        """
        self.signal(name, signal.SIGKILL)
        self.processes[name].join()
        self.pipes[name].close()

    def reply(self, name: str) -> object:
        """
        Return what one process says next.
        """
        assert self.pipes[name].poll(ANSWER_S_MAX)
        said: object = self.pipes[name].recv()
        return said

    def ask(self, method: str, arguments: dict[str, tuple[bytes, ...]]) -> dict[str, object]:
        """
        Ask several at once; return what each answered or raised.
        """
        for name, its in arguments.items():
            self.pipes[name].send((method, its))
        return {name: self.reply(name) for name in arguments}

    def enrol(self, seed: int, *, commit_to: str = "abc") -> None:
        """
        Enrol the palm of a seed.
        """
        enrolment = new_id()
        self.alias(self.ask("enrol", dict(self.three.enrolment(palm(seed), ALIASES[seed], enrolment=enrolment))))
        self.commit(enrolment, seed, to=commit_to)

    def commit(self, enrolment: str, position: int, *, to: str) -> None:
        """
        Have an enrolment committed.
        """
        order = msgspec.msgpack.encode(Order("commit", enrolment, position))
        self.ask("carry_out", dict.fromkeys(to, (order, self.three.issuer.signature(order))))

    def query(self, seed: int, *, to: str = "abc") -> dict[str, object]:
        """
        Show the palm of a seed, in the last of nine views.
        """
        views = np.stack([palm(1000 + view) for view in range(8)] + [palm(seed)])
        sealed = self.three.seal(self.three.queries(views), message.QUERY)
        return self.ask("answer_query", {name: (sealed[name],) for name in to})

    def alias(self, outcomes: dict[str, object]) -> bytes | None:
        """
        Open the answers as the issuer does.
        """
        return self.three.combine({name: said for name, said in outcomes.items() if isinstance(said, bytes)})

    def close(self) -> None:
        """
        Stop all.
        """
        for name in MATCHERS:
            self.kill(name)
        self.three.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """
    Three processes.
    """
    running = Processes(tmp_path)
    yield running
    running.close()


def test_three_processes_outlive_each_other(processes: Processes) -> None:
    processes.enrol(0)
    assert processes.alias(processes.query(0)) == ALIASES[0]
    assert processes.ask("health", {"a": ()}) == {"a": Health("ok", 1, "a", catches_cheaters=True)}

    # Killed: said at once, and found again after its restart, with a commit that it missed.
    processes.enrol(1, commit_to="ab")
    processes.kill("c")
    begin_s = monotonic()
    assert {PeerUnavailable} == {type(said) for said in processes.query(0, to="ab").values()}
    assert monotonic() - begin_s < QUERY_TIMEOUT_S
    processes.begin("c")
    assert processes.reply("c") == "ready"
    assert processes.alias(processes.query(1)) == ALIASES[1]

    # Stopped, so that it neither answers nor hangs up: said within the limit, and found again when it goes on.
    processes.signal("b", signal.SIGSTOP)
    begin_s = monotonic()
    assert {PeerUnavailable} == {type(said) for said in processes.query(0, to="ac").values()}
    assert monotonic() - begin_s < QUERY_TIMEOUT_S + 2.0
    processes.signal("b", signal.SIGCONT)
    assert processes.alias(processes.query(0)) == ALIASES[0]
    assert processes.alias(processes.query(2)) is None
