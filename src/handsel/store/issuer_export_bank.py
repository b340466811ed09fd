"""
Read what the issuer's tables hold about one wallet's dealings with banks, for whoever has it.

Names and accounts are not in these tables: they stand among what says who the person is.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.store.database import UnitOfWork
from handsel.store.issuer_export import ROWS_READ_MAX


@dataclass(frozen=True, repr=False)
class MandateLine:
    """
    Carry a mandate, and the version of the text that was agreed to.
    """

    mandate_id: str
    version: str
    signed_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, repr=False)
class CollectionLine:
    """
    Carry what was to be collected: `state` is waiting, ordered, done, refused or returned, with the bank's reason.
    """

    collection_id: str
    mandate_id: str
    amount_minor: int
    currency: str
    asked_at_ms: int
    due_on: str | None
    state: str
    reason: str | None


@dataclass(frozen=True, repr=False)
class BankLine:
    """
    Carry a movement at the bank that was taken for the wallet's: above zero where money came.

    `is_taken_back` is 1 once the bank has taken it back; `difference` is what did not agree, where something did not.
    """

    entry_id: str
    change_minor: int
    statement: str
    end_to_end_id: str
    reference: str
    outcome: str
    is_taken_back: int
    difference: str | None


@dataclass(frozen=True, repr=False)
class SuspendedLine:
    """
    Carry money of the wallet's that is or was nobody's, and why: `state` is open, returning, returned, assigned or
    taken_back.
    """

    suspense_id: str
    reason: str
    amount_minor: int
    currency: str
    state: str
    since_ms: int


def references_of(uow: UnitOfWork, wallet_id: str) -> tuple[str, ...]:
    """
    Return the references that lead to a wallet, the one that it shows first.
    """
    rows = uow.rows(
        "SELECT reference FROM bank_references WHERE wallet_id = ? ORDER BY number DESC LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(str(reference) for (reference,) in rows)


def mandates_of(uow: UnitOfWork, wallet_id: str) -> tuple[MandateLine, ...]:
    """
    Return all mandates of a wallet, oldest first.
    """
    rows = uow.rows(
        "SELECT id, consent_version, signed_at_ms, ended_at_ms FROM mandates WHERE wallet_id = ?"
        " ORDER BY signed_at_ms, id LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(MandateLine(*row) for row in rows)


def collections_of(uow: UnitOfWork, wallet_id: str) -> tuple[CollectionLine, ...]:
    """
    Return all that was to be collected for a wallet, oldest first.
    """
    rows = uow.rows(
        "SELECT c.id, c.mandate_id, c.amount_minor, c.currency, c.asked_at_ms, o.due_on,"
        " COALESCE(o.state, 'waiting'), o.reason FROM collections c LEFT JOIN bank_orders o ON o.id = c.id"
        " WHERE c.wallet_id = ? ORDER BY c.asked_at_ms, c.id LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(CollectionLine(*row) for row in rows)


def movements_of(uow: UnitOfWork, wallet_id: str) -> tuple[BankLine, ...]:
    """
    Return the movements at the bank that were taken for a wallet's, oldest first.
    """
    rows = uow.rows(
        "SELECT e.id, e.change_minor, s.bank_name, e.end_to_end_id, e.reference, e.outcome, e.is_taken_back, d.kind"
        " FROM bank_entries e JOIN bank_statements s ON s.id = e.statement_id"
        " LEFT JOIN bank_differences d ON d.entry_id = e.id WHERE e.subject = ? ORDER BY e.number LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(BankLine(*row) for row in rows)


def suspended_of(uow: UnitOfWork, party_ids: tuple[str, ...]) -> tuple[SuspendedLine, ...]:
    """
    Return the money that came from accounts or goes back there, and is or was nobody's, oldest first.
    """
    rows = uow.rows_in(
        "SELECT id, reason, amount_minor, currency, state, since_ms FROM bank_suspense WHERE party_id IN (?)", party_ids
    )
    return tuple(sorted((SuspendedLine(*row) for row in rows), key=lambda line: (line.since_ms, line.suspense_id)))
