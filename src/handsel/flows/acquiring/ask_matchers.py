"""
Ask the three matchers at the same time: a match takes all of them, and each waits for the other two.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from handsel.matching.message import MATCHERS, PerMatcher


def ask_matchers(ask: Callable[[str], bytes]) -> PerMatcher:
    """
    Return what `ask` returns for each matcher. The first that fails makes the whole fail; none is asked twice.

    `ask` must end by itself: this waits for all three.
    """
    with ThreadPoolExecutor(len(MATCHERS)) as threads:
        a, b, c = threads.map(ask, MATCHERS)
    return PerMatcher(a, b, c)
