"""
Compare the newest head of another party with the one that was seen last: its ledger must only have grown.

A party can show two histories to two who never meet. Whoever deals with it meets it once a minute, and keeps what it
saw; what it saw is shown to everybody (`web/watched.py`), so that others can compare theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from handsel.errors import BodyInvalid, NotFound, ProofInvalid
from handsel.proof.head import GrowthProof, SignedHead, TreeKey, older_first, verify_growth
from handsel.store.database import Database
from handsel.store.heads_seen import SeenHeads, find_seen, save_contradiction, save_seen


class Heads(Protocol):
    """
    Ask a party for what it shows to everybody. Both raise `PartyUnavailable`.
    """

    def newest(self) -> SignedHead:
        """
        Return the newest head. Raises `NotFound` where there is none.
        """

    def growth(self, *, first: int, second: int) -> GrowthProof:
        """
        Return the proof that the list of `first` leaves became that of `second`. Raises `BodyInvalid` for a refusal.
        """


@dataclass(frozen=True)
class Watched:
    """
    Name a party that is watched, with its tree key.
    """

    name: str
    key: TreeKey
    heads: Heads


def watch_heads(database: Database, watched: Watched, *, now_ms: int) -> SeenHeads:
    """
    Ask a party for its newest head, compare, and return what is kept of it now.

    1. What contradicts is kept and stays: nothing that is shown later makes it undone, and nothing more is asked.
    2. The newest head is signed by the party. Anything else could come from anybody, and is not kept.
    3. The older of the two heads is the beginning of the newer. One that is older than what was seen is no newer view:
       it must be proved as well, and is not kept. Where there is no proof, both heads are kept for good.

    Raises `PartyUnavailable`, `NotFound` where nothing was booked yet, and `SignatureInvalid`; nothing is kept then.
    """
    with database.unit_of_work() as uow:
        seen = find_seen(uow, watched.name)
    if seen is not None and seen.contradicting is not None:  # 1
        return seen
    head = watched.heads.newest()
    head.verify(watched.key)  # 2
    is_joined = seen is None or _is_joined(watched, *older_first(head, seen.head))  # 3
    with database.unit_of_work() as uow:
        if is_joined:
            newest = head if seen is None else older_first(head, seen.head)[1]
            save_seen(uow, watched.name, newest, now_ms=now_ms)
        else:
            save_contradiction(uow, watched.name, head, now_ms=now_ms)
        uow.commit_aside()
    with database.unit_of_work() as uow:
        kept = find_seen(uow, watched.name)
    if kept is None:
        raise NotFound("nothing is kept of that party")
    return kept


def _is_joined(watched: Watched, older: SignedHead, newer: SignedHead) -> bool:
    try:
        sizes = older.head.size, newer.head.size
        proof = None if sizes[0] == sizes[1] else watched.heads.growth(first=sizes[0], second=sizes[1])
        verify_growth(older, newer, proof, key=watched.key)
    except (BodyInvalid, NotFound, ProofInvalid):
        return False
    return True
