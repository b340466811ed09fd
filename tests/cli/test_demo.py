"""
`handsel demo` starts everything, says where the pages are, and leaves nothing behind.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from handsel.matching.message import MATCHERS
from handsel.wiring.demo import Ports, free_ports

pytestmark = pytest.mark.journey

STOP_S_MAX = 60


class Terminal:
    """
    Run `handsel demo` as in a terminal.
    """

    def __init__(self, directory: Path, port: int) -> None:
        words = ["demo", "--dir", str(directory), "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "handsel", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def read_until(self, words: str) -> str:
        """
        Return what is printed, up to a line with `words` in it, or to the end.
        """
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if words in line:
                break
        return said

    def end(self) -> tuple[str, int]:
        """
        Wait for the end, and return the rest of what is printed, and the exit status.
        """
        rest, errors = self.process.communicate(timeout=STOP_S_MAX)
        return rest + errors, self.process.returncode


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[Terminal, int]]:
    """
    Give a terminal in which the demo starts, and the demo's first port.
    """
    port = free_ports().first
    opened = Terminal(tmp_path / "demo", port)
    yield opened, port
    opened.process.kill()
    opened.process.communicate()


def six_ports(port: int) -> list[int]:
    """
    Return the ports on which issuer, acquirer, till and the three matchers say that they are there.
    """
    ports = Ports(port)
    return [ports.issuer, ports.acquirer, ports.till, *(ports.matcher(name) for name in MATCHERS)]


def listeners(port: int) -> list[int]:
    """
    Return which of the demo's six processes answer.
    """
    found = []
    for each in six_ports(port):
        try:
            httpx.get(f"http://127.0.0.1:{each}/v1/health", timeout=2)
        except httpx.TransportError:
            continue
        found.append(each)
    return found


def test_demo_says_where_the_pages_are_and_ctrl_c_stops_everything(
    terminal: tuple[Terminal, int], tmp_path: Path
) -> None:
    """
    The addresses work while it runs; afterwards nobody listens, and no secret but the merchant's key was printed.
    """
    opened, port = terminal
    said = opened.read_until("Ctrl-C stops everything")
    addresses = [httpx.URL(address).copy_with(fragment=None) for address in re.findall(r"http://\S+", said)]
    # A browser knows that *.localhost is this machine; not every resolver does.
    pages = [
        httpx.get(address.copy_with(host="127.0.0.1"), headers={"Host": address.netloc.decode()}).status_code
        for address in addresses
    ]
    during = listeners(port)

    second, second_status = Terminal(tmp_path / "other", port).end()
    os.kill(opened.process.pid, signal.SIGINT)
    last_words, status = opened.end()

    assert pages == [200] * 6
    assert len({address.host for address in addresses}) == 4  # The matchers set no cookie, and share a name.
    assert during == six_ports(port)
    assert (second_status, f"port {port} is in use" in second) == (71, True)
    assert "Stopped." in last_words
    assert status == 0
    assert listeners(port) == []


def test_a_killed_demo_leaves_no_process(terminal: tuple[Terminal, int]) -> None:
    """
    Even a supervisor that gets no chance to tidy up leaves no orphan.
    """
    opened, port = terminal
    opened.read_until("Ctrl-C stops everything")
    during = listeners(port)

    opened.process.kill()
    opened.end()
    for _ in range(100):
        if not listeners(port):
            break

    assert during == six_ports(port)
    assert listeners(port) == []
