"""
Pause a palm, and wake it again. A paused palm pays nothing; refunds still reach its wallet.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer_palm as palms


def pause_palm(issuer: Issuer, wallet_id: str, *, palm_id: str) -> None:
    """
    Pause a palm of this wallet. Doing it again changes nothing. Raises `NotFound`.
    """
    _change(issuer, wallet_id, palm_id=palm_id, before="active", after="paused")


def resume_palm(issuer: Issuer, wallet_id: str, *, palm_id: str) -> None:
    """
    Let a paused palm of this wallet pay again. Doing it again changes nothing. Raises `NotFound`.
    """
    _change(issuer, wallet_id, palm_id=palm_id, before="paused", after="active")


def _change(issuer: Issuer, wallet_id: str, *, palm_id: str, before: str, after: str) -> None:
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        palm = palms.find_palm(uow, palm_id)
        if palm is None or palm.wallet_id != wallet_id or palm.state not in (before, after):
            raise NotFound("this wallet has no such palm")
        if palm.state == before:
            palms.set_palm_state(uow, palm_id, after, now_ms=now_ms)
            uow.commit()
