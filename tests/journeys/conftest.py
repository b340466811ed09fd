"""
Start a whole Handsel, six real processes, for the journeys of one module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from handsel.wiring.actors import Customer, Shop, TillCamera, open_http
from handsel.wiring.demo import Demo, free_ports, set_up, start
from handsel.wiring.supervisor import Supervisor


@dataclass(frozen=True)
class Running:
    """
    Hold a Handsel that runs.
    """

    demo: Demo
    supervisor: Supervisor
    http: httpx.Client

    @property
    def shop(self) -> Shop:
        """
        Return the demo merchant's cash register.
        """
        return Shop(self.http, self.demo)

    @property
    def till(self) -> TillCamera:
        """
        Return the demo till's page.
        """
        return TillCamera(self.http, self.demo.till_api)

    def customer(self) -> Customer:
        """
        Return somebody who has just opened a wallet.
        """
        return Customer(self.http, self.demo.issuer_api)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """
    Give a Handsel, and stop it afterwards.
    """
    with running_in(tmp_path_factory.mktemp("handsel")) as found:
        yield found


@contextmanager
def running_in(directory: Path) -> Iterator[Running]:
    """
    Lay a Handsel out in a directory, run it, and stop it afterwards.
    """
    ports = free_ports()
    demo = set_up(directory, ports)
    supervisor = start(demo, ports, lambda _: None)
    try:
        with open_http() as http:
            yield Running(demo, supervisor, http)
    finally:
        supervisor.stop()
