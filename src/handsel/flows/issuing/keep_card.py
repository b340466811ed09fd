"""
Look after a card: pause it, wake it, and revoke it when it is lost.
"""

from __future__ import annotations

from handsel.errors import NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer_card as cards


def pause_card(issuer: Issuer, wallet_id: str) -> None:
    """
    Pause the card of this wallet: it pays nothing, and refunds still reach it. Raises `NotFound` where there is none.
    """
    _change(issuer, wallet_id, state="paused")


def resume_card(issuer: Issuer, wallet_id: str) -> None:
    """
    Let the paused card of this wallet pay again. Raises `NotFound` where there is none.
    """
    _change(issuer, wallet_id, state="active")


def revoke_card(issuer: Issuer, wallet_id: str) -> None:
    """
    Delete the card of this wallet, its public key and its sealed template. Doing it again changes nothing.

    From now on the card opens nothing and pays nothing, whoever holds it. The wallet keeps its money and its palms.
    """
    with issuer.database.unit_of_work() as uow:
        cards.remove_card_of(uow, wallet_id)
        uow.commit()


def _change(issuer: Issuer, wallet_id: str, *, state: str) -> None:
    with issuer.database.unit_of_work() as uow:
        card = cards.card_of_wallet(uow, wallet_id)
        if card is None:
            raise NotFound("this wallet has no card")
        cards.set_card_state(uow, card.id, state)
        uow.commit()
