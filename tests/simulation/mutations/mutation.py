"""
Say what a planted bug is: a name, what it breaks, and how a wrong function is put in the place of a right one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.patches import Patches


@dataclass(frozen=True)
class Mutation:
    """
    Hold one planted bug.
    """

    name: str
    breaks: str
    plant: Callable[[Patches], None]
