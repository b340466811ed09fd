"""
Keep what the issuer knows of cards: an id, a public key, and a template that only the card itself opens.

Every function works within the unit of work that it is given. Nothing here decides: the flows do. The key of a card is
in no table, and there must never be one for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.pay.asking import Asking
from handsel.store.database import UnitOfWork


@dataclass(frozen=True, repr=False)
class CardRow:
    """
    Carry a card as it is stored: `state` is active or paused, `asking` how often it was shown in vain.
    """

    id: bytes
    wallet_id: str
    public_key: bytes
    sealed_template: bytes
    state: str
    enrolled_at_ms: int
    asking: Asking


@dataclass(frozen=True, repr=False)
class CardEnrolmentRow:
    """
    Carry the enrolment of a card as it is stored; `reason` is None where it succeeded.
    """

    digest: bytes
    reason: str | None


def put_card(uow: UnitOfWork, row: CardRow) -> None:
    """
    Write a wallet's card in place of the one that it had.
    """
    remove_card_of(uow, row.wallet_id)
    uow.execute(
        "INSERT INTO cards (id, wallet_id, public_key, sealed_template, state, enrolled_at_ms, asking)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(row.id, row.wallet_id, row.public_key, row.sealed_template, row.state, row.enrolled_at_ms),
        msgspec.msgpack.encode(row.asking),
    )


def find_card(uow: UnitOfWork, card_id: bytes) -> CardRow | None:
    """
    Return a card, or None.
    """
    row = uow.row(
        "SELECT id, wallet_id, public_key, sealed_template, state, enrolled_at_ms, asking FROM cards WHERE id = ?",
        card_id,
    )
    if row is None:
        return None
    found, wallet_id, public_key, sealed_template, state, enrolled_at_ms, asking = row
    return CardRow(found, wallet_id, public_key, sealed_template, state, enrolled_at_ms, _asking_of(asking))


def card_of_wallet(uow: UnitOfWork, wallet_id: str) -> CardRow | None:
    """
    Return the card of a wallet, or None.
    """
    row = uow.row("SELECT id FROM cards WHERE wallet_id = ?", wallet_id)
    return find_card(uow, row[0]) if row else None


def set_card_state(uow: UnitOfWork, card_id: bytes, state: str) -> None:
    """
    Write where a card stands now.
    """
    uow.execute("UPDATE cards SET state = ? WHERE id = ?", state, card_id)


def save_asking(uow: UnitOfWork, card_id: bytes, asking: Asking) -> None:
    """
    Keep how often a card was shown in vain, in place of what was.
    """
    uow.execute("UPDATE cards SET asking = ? WHERE id = ?", msgspec.msgpack.encode(asking), card_id)


def remove_card_of(uow: UnitOfWork, wallet_id: str) -> None:
    """
    Remove the card of a wallet, if it has one, with all that is known of it.
    """
    uow.execute("DELETE FROM cards WHERE wallet_id = ?", wallet_id)


def add_card_enrolment(uow: UnitOfWork, enrolment_id: str, row: CardEnrolmentRow, *, now_ms: int) -> None:
    """
    Write how the enrolment of a card has ended. It names no card and no wallet.
    """
    uow.execute(
        "INSERT INTO card_enrolments (id, digest, reason, at_ms) VALUES (?, ?, ?, ?)",
        *(enrolment_id, row.digest, row.reason, now_ms),
    )


def find_card_enrolment(uow: UnitOfWork, enrolment_id: str) -> CardEnrolmentRow | None:
    """
    Return how the enrolment of a card has ended, or None.
    """
    row = uow.row("SELECT digest, reason FROM card_enrolments WHERE id = ?", enrolment_id)
    return CardEnrolmentRow(*row) if row else None


def _asking_of(stored: bytes) -> Asking:
    return msgspec.msgpack.decode(stored, type=Asking)
