"""
A disk that is full, under six real processes: clear errors, and nothing lost or doubled.

It takes a small file system of its own, which only root may mount; elsewhere each party's own tests stand for it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from handsel.errors import BadInput
from handsel.wiring.actors import AMOUNT_MINOR, TOP_UP_MINOR, Customer, Shop, TillCamera, open_http
from handsel.wiring.demo import Demo, free_ports, set_up, start
from handsel.wiring.guests import drawn_guests

pytestmark = pytest.mark.journey

DISK_BYTES = 24 << 20  # Six processes' empty data take about 3 MiB.
BLOCK = bytes(4096)
ROOM_BYTES = 200 * 1024  # For a payment to be asked for, and no more.


class SmallDisk:
    """
    Fill and free a small file system.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """
        Leave no block free.
        """
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with suppress(OSError):
            while True:
                os.write(descriptor, BLOCK)
        os.close(descriptor)

    def free(self, count: int | None = None) -> None:
        """
        Give `count` bytes back, or all.
        """
        size = self._ballast.stat().st_size
        os.truncate(self._ballast, 0 if count is None else size - count)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """
    Give a small file system.
    """
    path = tmp_path_factory.mktemp("small")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "tmpfs", str(path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield SmallDisk(path)
    subprocess.run(["umount", str(path)], check=True)


@pytest.fixture(scope="module")
def demo(disk: SmallDisk) -> Iterator[Demo]:
    """
    Give a Handsel whose data are all on the small file system.
    """
    ports = free_ports()
    made = set_up(disk.path / "demo", ports)
    supervisor = start(made, ports, lambda _: None)
    try:
        yield made
    finally:
        supervisor.stop()


def test_a_full_disk_refuses_clearly_and_loses_nothing(disk: SmallDisk, demo: Demo) -> None:
    """
    While there is no room nothing is asked for, opened or paid; once there is, the same payment is made, once.
    """
    guest = drawn_guests(1, 0)[0][0]
    with open_http() as http:
        shop, till, customer = Shop(http, demo), TillCamera(http, demo.till_api), Customer(http, demo.issuer_api)
        enrolled = till.enrol(customer.prepare(), guest.enrolment)
        till.dismiss()

        disk.fill()
        with pytest.raises(BadInput, match="store_full"):
            shop.ask()
        with pytest.raises(BadInput, match="store_full"):
            Customer(http, demo.issuer_api)

        disk.free(ROOM_BYTES)
        payment_intent = shop.ask()
        till.wait_for_charge()
        disk.fill()
        refused = till.pay(guest.visits[0])
        during = customer.balance()

        disk.free()
        paid = till.pay(guest.visits[0])
        status = shop.wait_until_settled(payment_intent)
        after = customer.balance()

    assert enrolled.screen == "enrolled"
    assert (refused.screen, refused.reason) == ("trouble", "store_full")
    assert during == TOP_UP_MINOR
    assert (paid.screen, status) == ("paid", "succeeded")
    assert after == TOP_UP_MINOR - AMOUNT_MINOR
