"""
Hold what a matcher is set up with, and what it says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handsel.errors import ConfigError
from handsel.keys import PublicKeys
from handsel.matching.party import Terms
from handsel.matching.peers import PeerAddress
from handsel.matching.scale import VIEWS_MAX, comparison_bits

Status = Literal["ok", "waiting_for_peers", "needs_restoring", "restoring"]


@dataclass(frozen=True)
class Match:
    """
    Hold the settings of the match, on which all three matchers must agree.

    `threshold` is the least dot product that counts, as `scale.threshold_to_int` gives it, for a gallery of at most
    `palms_max`. Where `catches_cheaters`, every answer is proved before it is given.
    """

    dims: int
    threshold: int
    palms_max: int
    catches_cheaters: bool = True
    views_max: int = VIEWS_MAX

    def __post_init__(self) -> None:
        """
        Refuse settings with which a dot product would not fit 16 bits. Raises `ConfigError`.
        """
        self.terms()
        if self.palms_max < 1:
            raise ConfigError("a gallery has room for one palm or more")
        if not 1 <= self.views_max <= VIEWS_MAX:
            raise ConfigError(f"a query has at most {VIEWS_MAX} views")

    def terms(self) -> Terms:
        """
        Return how a query is matched.
        """
        bits = comparison_bits(self.threshold, dims=self.dims)
        return Terms(self.threshold, is_proved=self.catches_cheaters, bits=bits)


@dataclass(frozen=True)
class Party:
    """
    Hold what is public of one matcher: its keys, the certificate of its `sign` key, and where its peers reach it.
    """

    keys: PublicKeys
    certificate: bytes
    address: PeerAddress


@dataclass(frozen=True)
class Health:
    """
    Say whether a matcher can answer, how many palms it holds shares of, and whether cheating peers are caught.

    It `needs_restoring` where it has no rows, and its peers had some when it last met them.
    """

    status: Status
    rows: int
    matcher: str
    catches_cheaters: bool
