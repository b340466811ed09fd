"""
Say how often what goes wrong in one world. Each world draws its own: some are calm, some are all trouble.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace
from enum import Enum
from functools import cached_property
from itertools import accumulate

NEVER = 0.0


class Fate(Enum):
    """
    Say what the network does to one call.
    """

    GOOD = "good"
    REFUSED = "refused"  # There is no connection: nothing was sent.
    LOST = "lost"  # It does not arrive, and nobody knows.
    CUT = "cut"  # It is carried out; the answer does not come back.
    DOUBLED = "doubled"  # It arrives twice, and one of the answers is heard.
    LATE = "late"  # It arrives when nobody waits for it any more.


@dataclass(frozen=True)
class Plan:
    """
    Hold chances: of a call, of a commit, and of a second of one process.
    """

    refused: float = NEVER
    lost: float = NEVER
    cut: float = NEVER
    doubled: float = NEVER
    late: float = NEVER
    crash_before_commit: float = NEVER
    crash_after_commit: float = NEVER
    crash_at_answer: float = NEVER  # When it comes back to who has asked.
    crash_per_s: float = NEVER
    disk_full_per_s: float = NEVER
    disk_lost_per_crash: float = NEVER  # Of a till.
    clock_jump_per_s: float = NEVER
    partition_per_s: float = NEVER
    no_palm: float = NEVER  # A matcher refuses what it was sent as no palm.
    slow: float = NEVER  # A unit of work waits for its turn.

    @classmethod
    def draw(cls, rng: random.Random) -> Plan:
        """
        Draw a plan: each kind of trouble is absent, rare or frequent.
        """
        most = Plan(
            refused=0.02,
            lost=0.02,
            cut=0.03,
            doubled=0.03,
            late=0.02,
            crash_before_commit=0.006,
            crash_after_commit=0.006,
            crash_at_answer=0.008,
            crash_per_s=0.004,
            disk_full_per_s=0.003,
            disk_lost_per_crash=0.5,
            clock_jump_per_s=0.005,
            partition_per_s=0.003,
            no_palm=0.02,
            slow=0.3,
        )
        return replace(
            most,
            **{each.name: getattr(most, each.name) * rng.choice((0.0, 0.3, 1.0)) for each in fields(cls)},
        )

    def fate(self, rng: random.Random) -> Fate:
        """
        Draw what becomes of one call.
        """
        drawn = rng.random()
        for until, fate in self._fates:
            if drawn < until:
                return fate
        return Fate.GOOD

    @cached_property
    def _fates(self) -> tuple[tuple[float, Fate], ...]:
        fates = (Fate.REFUSED, Fate.LOST, Fate.CUT, Fate.DOUBLED, Fate.LATE)
        chances: list[float] = [getattr(self, fate.value) for fate in fates]
        return tuple(zip(accumulate(chances), fates, strict=True)) if any(chances) else ()


CALM = Plan()
