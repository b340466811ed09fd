"""
Issuer and acquirer are killed while tills charge: no acknowledged payment is lost, and each serves again in seconds.

`bench/kill.py` does the same for as long as is asked.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bench.kill import is_sound, run

pytestmark = pytest.mark.journey


def test_no_acknowledged_payment_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    said: list[str] = []

    told, found = run(tmp_path, kills=2, pause_s=1.0, rng=random.Random(1), say=said.append)  # noqa: S311

    assert is_sound(told, found), (said, told.failures, told.paid - found.succeeded, found)
    assert told.paid
