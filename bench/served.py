"""
Run three matchers as real processes, one thread each for BLAS, and ask them as a till does.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handsel.certificate import make_certificate
from handsel.clock import system_clock
from handsel.envelope import open_envelope, seal
from handsel.keys import PartyKeys, PublicKeys
from handsel.log import Log
from handsel.matching.honest import Asked
from handsel.matching.matcher import Matcher
from handsel.matching.memory import keep_freed_memory
from handsel.matching.message import ANSWER, MATCHERS, QUERY, Answer, Query, combine
from handsel.matching.peers import PeerAddress
from handsel.matching.settings import Match, Party
from handsel.matching.split import split_query, split_rows, to_wire

ANSWER_S_MAX = 120.0
QUIET_S = 0.05  # A process that has hardly worked for so long, and again and again, makes nothing ahead any more.
QUIET_TIMES = 3
QUIET_CPU_S_MAX = 0.002
IDLE_S_MAX = 120.0


@dataclass(frozen=True)
class Trio:
    """
    Hold what three matchers of one kind are told, and where they keep their shares.
    """

    root: Path
    settings: Match
    issuer: PartyKeys
    keys: dict[str, PartyKeys]
    parties: dict[str, Party]


@dataclass(frozen=True)
class Served:
    """
    Hold one matcher's process, how long it took to serve, and the memory that it had then.
    """

    pipe: Connection
    start_s: float
    resident_kb: int


def trio_of(root: Path, settings: Match) -> Trio:
    """
    Return three matchers with fresh keys and ports.
    """
    keys = {name: PartyKeys.generate() for name in MATCHERS}
    parties = {name: public_party(name, own) for name, own in keys.items()}
    return Trio(root, settings, PartyKeys.generate(), keys, parties)


def public_party(name: str, keys: PartyKeys) -> Party:
    """
    Return what the others know of a matcher.
    """
    certificate = make_certificate(keys, name=f"matcher {name}", now_ms=system_clock())
    return Party(keys.public(), certificate, PeerAddress("127.0.0.1", free_port()))


def free_port() -> int:
    """
    Return a port of loopback on which nothing listens.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(trio: Trio) -> dict[str, Served]:
    """
    Start the three processes.
    """
    context, pipes = get_context("spawn"), {}
    for name in MATCHERS:
        trio.keys[name].save(trio.root / f"{name}.keys")
        pipes[name], theirs = context.Pipe()
        settled = (name, trio.root, trio.settings, trio.issuer.public(), trio.parties, theirs)
        context.Process(target=serve, args=settled, daemon=True).start()
    return {name: Served(pipe, *pipe.recv()) for name, pipe in pipes.items()}


def stop(served: Mapping[str, Served]) -> float:
    """
    Stop the three processes, and return the most memory that one of them ever had, in megabytes.
    """
    for one in served.values():
        one.pipe.send(b"")
    resident: list[int] = [one.pipe.recv() for one in served.values()]
    return max(resident) / 1024


def serve(
    name: str, root: Path, settings: Match, issuer: PublicKeys, parties: dict[str, Party], pipe: Connection
) -> None:
    """
    Be one matcher's process: answer envelopes from the pipe until it sends nothing.
    """
    begin_s = time.perf_counter()
    with (root / f"{name}.log").open("w") as stream:
        matcher = Matcher(
            name,
            keys=PartyKeys.load(root / f"{name}.keys"),
            issuer=issuer,
            parties=parties,
            directory=root / name,
            settings=settings,
            clock=system_clock,
            log=Log(name, stream),
            query_timeout_s=ANSWER_S_MAX,
        )
        keep_freed_memory()
        matcher.start()
        pipe.send((time.perf_counter() - begin_s, resident_kb("VmRSS")))
        while envelope := pipe.recv():
            begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
            answer = matcher.answer_query(envelope)
            pipe.send((answer, time.perf_counter() - begin_s, time.process_time() - begin_cpu_s))
            pipe.send(work_until_idle_s())
        matcher.close()
        pipe.send(resident_kb("VmHWM"))


def resident_kb(which: str) -> int:
    """
    Return the memory that this process has, `VmRSS`, or had at most, `VmHWM`; mapped files are in it.
    """
    # `ru_maxrss` would count that of the process that started it.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(which))


def work_until_idle_s() -> float:
    """
    Wait until this process does nothing more, and return the processor time that it took until then.
    """
    begin_cpu_s, deadline_s, quiet = time.process_time(), time.monotonic() + IDLE_S_MAX, 0
    while quiet < QUIET_TIMES and time.monotonic() < deadline_s:
        before_s = time.process_time()
        time.sleep(QUIET_S)
        quiet = quiet + 1 if time.process_time() - before_s < QUIET_CPU_S_MAX else 0
    return time.process_time() - begin_cpu_s


def asked_of(views: NDArray[np.int8]) -> dict[str, Asked]:
    """
    Return the shares of the views of a probe, by matcher.
    """
    shares = zip(MATCHERS, split_query(views), split_rows(views), strict=True)
    return {name: Asked(query, row, len(views)) for name, query, row in shares}


def ask(trio: Trio, served: Mapping[str, Served], views: NDArray[np.int8]) -> tuple[bytes | None, dict[str, float]]:
    """
    Return the alias that the three processes find, and what it took.
    """
    query_id, binding = os.urandom(16), bytes(32)
    envelopes = {}
    for name, asked in asked_of(views).items():
        query = Query(query_id, binding, len(views), to_wire(asked.views), to_wire(asked.rows))
        envelopes[name] = seal(query, to=trio.parties[name].keys, purpose=QUERY)
    for name, envelope in envelopes.items():
        served[name].pipe.send(envelope)
    answers = []
    for name in MATCHERS:
        if not served[name].pipe.poll(ANSWER_S_MAX):
            raise SystemExit(f"matcher {name} does not answer")
        answers.append(served[name].pipe.recv())
    ahead_s = max(served[name].pipe.recv() for name in MATCHERS)
    opened = tuple(open_envelope(sealed, Answer, keys=trio.issuer, purpose=ANSWER) for sealed, _, _ in answers)
    took = {
        "wall_ms": max(wall for _, wall, _ in answers) * 1e3,
        "process_cpu_ms": max(work for _, _, work in answers) * 1e3,
        "ahead_cpu_ms": ahead_s * 1e3,
    }
    return combine(opened, binding=binding), took
