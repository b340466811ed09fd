"""
Erase a palm: it is dead here at once, and the three matchers are ordered to erase their rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import NotFound
from handsel.flows.issuing.abort_enrolment import abort_enrolment
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.matcher_order import write_orders
from handsel.pay.decline import DeclineReason
from handsel.store import issuer_palm as palms
from handsel.store.database import UnitOfWork


@dataclass(frozen=True)
class Erasure:
    """
    Say how many of the three matchers have confirmed, each with its signature, that their row is gone.
    """

    confirmed: int


def erase_palm(issuer: Issuer, wallet_id: str, *, palm_id: str) -> Erasure:
    """
    Erase a palm of this wallet, and say how far it is; asking again says how far it is now. Raises `NotFound`.

    From now on no match pays by this palm. The wallet keeps its money.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        palm = palms.find_palm(uow, palm_id)
        if palm is None or palm.wallet_id != wallet_id or palm.state == "pending":
            raise NotFound("this wallet has no such palm")
        if palm.state != "erased":
            _erase(issuer, uow, palm_id, now_ms=now_ms)
        confirmed = palms.confirmations(uow, palm_id, "erase")
        uow.commit()
    return Erasure(confirmed)


def erase_palms_of(issuer: Issuer, uow: UnitOfWork, wallet_id: str, *, now_ms: int) -> None:
    """
    Erase all palms of a wallet, and abort any enrolment under way, within the unit of work of another flow.
    """
    for palm in palms.palms_of_wallet(uow, wallet_id):
        if palm.state == "pending":
            abort_enrolment(issuer, uow, palm.id, DeclineReason.VOIDED, now_ms=now_ms)
        if palm.state in ("active", "paused"):
            _erase(issuer, uow, palm.id, now_ms=now_ms)


def _erase(issuer: Issuer, uow: UnitOfWork, palm_id: str, *, now_ms: int) -> None:
    # The alias stays until no matcher can answer with it any more, so that such an answer is known for what it is.
    palms.set_palm_state(uow, palm_id, "erased", now_ms=now_ms)
    write_orders(issuer, uow, "erase", palm_id, position=0, now_ms=now_ms)
