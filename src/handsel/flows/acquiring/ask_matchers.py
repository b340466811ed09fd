"""
Ask the three matchers at the same time: a match takes all of them, and each waits for the other two.

With a held key none is asked: what its card signed goes to the issuer as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from handsel.flows.acquiring.ports import Matchers
from handsel.matching.message import MATCHERS, PerMatcher
from handsel.order import SealedProof


def answers_to(matchers: Matchers, shown: PerMatcher | SealedProof) -> PerMatcher | SealedProof:
    """
    Return what the issuer recognises somebody by: the matchers' answers to three queries, or the proof that was shown.
    """
    if isinstance(shown, SealedProof):
        return shown
    return ask_matchers(lambda name: matchers.answer_query(name, shown.of(name)))


def ask_matchers(ask: Callable[[str], bytes]) -> PerMatcher:
    """
    Return what `ask` returns for each matcher. The first that fails makes the whole fail; none is asked twice.

    `ask` must end by itself: this waits for all three.
    """
    with ThreadPoolExecutor(len(MATCHERS)) as threads:
        a, b, c = threads.map(ask, MATCHERS)
    return PerMatcher(a, b, c)
