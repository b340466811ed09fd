"""
Tell the time as whole milliseconds since 1970-01-01 UTC.

Only the outer layer reads the clock; everything inside gets `now_ms` passed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]


def system_clock() -> int:
    """
    Return the present time in milliseconds since the epoch.
    """
    return time.time_ns() // 1_000_000
