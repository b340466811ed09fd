"""
Bound how many answers each acquirer has opened, and how many of them match nobody, within the unit of work of another
flow.

The issuer knows acquirers, and no tills: this stops an acquirer that does not stop its tills. What an enrolment finds
is not counted as wrong, since it should find nobody.
"""

from __future__ import annotations

from handsel.flows.issuing.issuer import Issuer
from handsel.pay.decline import Declined, DeclineReason
from handsel.store.asking import find_asking, save_asking
from handsel.store.database import UnitOfWork
from handsel.store.issuer import WalletRow

WRONG_REASONS = frozenset({DeclineReason.NOT_RECOGNISED, DeclineReason.AMBIGUOUS})
FOUND_REASONS = frozenset({DeclineReason.PALM_PAUSED, DeclineReason.WALLET_CLOSED})


def begin_asking(issuer: Issuer, uow: UnitOfWork, acquirer: str, *, now_ms: int) -> Declined | None:
    """
    Count one more answer of an acquirer, or return why none is opened now.
    """
    begun = find_asking(uow, acquirer).begin(issuer.asking, now_ms=now_ms)
    if begun is None:
        return Declined(DeclineReason.ASKED_TOO_OFTEN)
    save_asking(uow, acquirer, begun)
    return None


def end_asking(issuer: Issuer, uow: UnitOfWork, acquirer: str, found: WalletRow | Declined, *, asked_ms: int) -> None:
    """
    Count what came of an answer: a wallet, or why none. A wrong one was counted as such when it began.
    """
    if isinstance(found, Declined) and found.reason in WRONG_REASONS:
        return
    asking = find_asking(uow, acquirer)
    is_found = isinstance(found, WalletRow) or found.reason in FOUND_REASONS
    ended = asking.recognised if is_found else asking.taken_back
    save_asking(uow, acquirer, ended(issuer.asking, asked_ms=asked_ms))


def count_unmatched(issuer: Issuer, uow: UnitOfWork, acquirer: str, *, now_ms: int) -> Declined | None:
    """
    Count an ask that finds nobody by its nature, or return why there may be none now.

    An enrolment should match no palm, and with a card none is looked for: neither is ever wrong.
    """
    refused = begin_asking(issuer, uow, acquirer, now_ms=now_ms)
    if refused is None:
        asking = find_asking(uow, acquirer).taken_back(issuer.asking, asked_ms=now_ms)
        save_asking(uow, acquirer, asking)
    return refused
