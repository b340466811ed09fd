"""
Run one party's application on its own port until it is asked to stop.

Every file that the process makes is its owner's alone (umask 077). The port is taken before anything else starts, so
that a port in use is a clear message and not a half-started process.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from handsel.errors import HandselError, PortTaken
from handsel.log import Log
from handsel.web.app import Lifespan

TRUNCATE_INTERVAL_S = 60.0  # How long what was erased may still stand in the database's write-ahead log.
STOP_S_MAX = 5  # How long requests in flight may take to end once the process is asked to stop.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True)
class Chore:
    """
    Name something that is repeated in the background, and how often.
    """

    name: str
    interval_s: float
    run: Callable[[], object]


def served_hosts(host: str, public_host: str = "") -> frozenset[str]:
    """
    Return the host names that a party answers to: loopback, the address it listens on, its public name.
    """
    return LOOPBACK_HOSTS | ({host, public_host} - {""})


def private_files_only() -> None:
    """
    Let every file and directory that this process makes be its owner's alone.
    """
    os.umask(0o077)


def take_port(host: str, port: int) -> socket.socket:
    """
    Return a listening socket on `host`:`port`. Raises `PortTaken`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio would not know it, and let answers wait 40 ms for an acknowledgement (Nagle).
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except OSError as exc:
        taken.close()
        raise PortTaken(f"port {port} is in use: stop the other program, or choose another port") from exc
    return taken


def serve(app: ASGIApp, listener: socket.socket, *, stops_with_stdin: bool) -> None:
    """
    Serve `app` until SIGINT or SIGTERM or, where `stops_with_stdin`, until standard input closes.

    A supervisor holds the other end of standard input: when it dies, however it dies, nothing stays behind.
    """
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_S_MAX,
    )
    server = uvicorn.Server(settings)
    if stops_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def lifespan_of(
    chores: Sequence[Chore],
    *,
    log: Log,
    start: Callable[[], None] = lambda: None,
    stop: Callable[[], None] = lambda: None,
) -> Lifespan:
    """
    Return what an application does around its serving: `start`, then the chores in threads of their own, then `stop`.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        over = threading.Event()
        start()
        threads = [threading.Thread(target=_repeat, args=(chore, over, log), daemon=True) for chore in chores]
        for thread in threads:
            thread.start()
        log.event("started")
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(STOP_S_MAX)
            stop()
            log.event("stopped")

    return lifespan


def _repeat(chore: Chore, over: threading.Event, log: Log) -> None:
    failing: str | None = None
    while not over.wait(chore.interval_s):
        try:
            chore.run()
            failing = None
        except Exception as exc:
            code = exc.code if isinstance(exc, HandselError) else type(exc).__name__
            if code != failing:  # Say it once, not twice a second while a neighbour is away.
                log.event("chore.failed", outcome=chore.name, code=code)
            failing = code


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(1):
        pass
    server.should_exit = True
