"""
What is freed stays with the process, where the C library can be told so.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from handsel.matching import memory

FAULTS = """
import resource, sys
from handsel.matching.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
bytearray(40 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    bytearray(40 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library cannot be told")
def test_memory_is_not_taken_from_the_system_again_and_again() -> None:
    faults = {how: int(subprocess.check_output([sys.executable, "-c", FAULTS, how])) for how in ("keep", "leave")}

    assert faults["keep"] * 10 < faults["leave"]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())

    memory.keep_freed_memory()
