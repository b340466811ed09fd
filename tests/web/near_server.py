"""
Serve an application, or a few bytes, on a loopback port of the operating system's choice.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from handsel.config import Link, Secret

TOKEN = "l" * 64
REQUEST_BYTES_MAX = 1 << 16


@contextmanager
def serving(app: ASGIApp) -> Iterator[Link]:
    """
    Serve `app`, and yield the link to it.
    """
    listener = _listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield _link(listener)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


@contextmanager
def answering(reply: bytes, *, holds: bool = False) -> Iterator[Link]:
    """
    Answer the first request with `reply`, whatever it is, and hang up, or hold the line until the end.
    """
    listener = _listen()
    over = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(REQUEST_BYTES_MAX)
            connection.sendall(reply)
            if holds:
                over.wait(timeout=10)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield _link(listener)
    finally:
        over.set()
        thread.join(timeout=10)
        listener.close()


def nobody() -> Link:
    """
    Return a link to a port on which nothing listens.
    """
    listener = _listen()
    link = _link(listener)
    listener.close()
    return link


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    return listener


def _link(listener: socket.socket) -> Link:
    return Link(f"http://127.0.0.1:{listener.getsockname()[1]}", Secret(TOKEN))
