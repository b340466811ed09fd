"""
Watch the heads of the parties that the settings name, once a minute, and say loudly where one contradicts itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from handsel.clock import Clock
from handsel.flows.watching.watch_heads import Watched, watch_heads
from handsel.log import Log
from handsel.proof.head import TreeKey
from handsel.store.database import Database
from handsel.store.heads_seen import SeenHeads, find_seen
from handsel.watch_settings import WatchedParty
from handsel.web.public_heads import HttpHeads
from handsel.wiring.serve import Chore

WATCH_INTERVAL_S = 60.0


class Watching:
    """
    Hold what was seen of each party, so that a page or a supervisor does not wait for the database.
    """

    def __init__(
        self, database: Database, parties: Mapping[str, WatchedParty], *, party: str, clock: Clock, log: Log
    ) -> None:
        """
        Read what was seen before. `party` is what those that are watched call themselves: `issuer` or `acquirer`.
        """
        self._database = database
        self._clock = clock
        self._log = log
        self._heads = {name: HttpHeads(each.url, party=name) for name, each in sorted(parties.items())}
        self._watched = [
            Watched(name, TreeKey(party, parties[name].tree_key), heads) for name, heads in self._heads.items()
        ]
        with database.unit_of_work() as uow:
            self._seen = {each.name: find_seen(uow, each.name) for each in self._watched}

    def chores(self) -> tuple[Chore, ...]:
        """
        Return a chore for each party, so that one that is away holds up no other.
        """
        return tuple(Chore("watch_heads", WATCH_INTERVAL_S, partial(self.look, each)) for each in self._watched)

    def look(self, watched: Watched) -> None:
        """
        Look at one party. Where it contradicts itself this is logged each time, for as long as that stands.
        """
        seen = watch_heads(self._database, watched, now_ms=self._clock())
        self._seen[watched.name] = seen
        if seen.contradicting is not None:
            self._log.event("heads.contradicted", outcome=watched.name, count=seen.contradicting.head.size)

    def seen(self) -> Mapping[str, SeenHeads | None]:
        """
        Return what was seen of each party, by its name.
        """
        return self._seen

    def contradicted(self) -> tuple[str, ...]:
        """
        Return the names of the parties that contradict themselves.
        """
        return tuple(name for name, seen in self._seen.items() if seen is not None and seen.contradicting is not None)

    def close(self) -> None:
        """
        Close the connections.
        """
        for heads in self._heads.values():
            heads.close()
