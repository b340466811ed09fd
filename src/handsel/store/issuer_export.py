"""
Read everything that the issuer's tables hold about one wallet, for whoever has it: GDPR Art. 15 and 20.

`EXPORTED` names each table that leads to a wallet, and where its rows stand in the export; `NOT_EXPORTED` those that do
not, and why. A test walks the tables of the database and finds each in one of the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.store.database import UnitOfWork

ROWS_READ_MAX = 100_000  # Of one table, for one wallet.

EXPORTED: dict[str, str] = {
    "wallets": "wallet",
    "accounts": "wallet",
    "transfers": "history",
    "consents": "consents",
    "palms": "wallet",
    "cards": "card",
    "enrolments": "enrolments",
    "enrolment_codes": "codes",
    "matcher_orders": "orders",
    "charges": "charges",
    "identities": "identities",
    "holds": "wallet",
    "receipt_keys": "receipts",
    "named_shops": "named_shops",
    "named_payments": "receipts",
    "own_limits": "factors",
    "pins": "factors",
    "pin_tries": "factors",
    "passkeys": "factors",
    "approvals": "approvals",
    "bank_references": "bank",
    "mandates": "bank",
    "collections": "bank",
    "bank_orders": "bank",
    "bank_entries": "bank",
    "bank_differences": "bank",
    "bank_suspense": "bank",
}
NOT_EXPORTED: dict[str, str] = {
    "milestones": "where in the ledger some of the entries are that the history holds, and nothing else",
    "pin_checks": "a PIN that is being checked, for a moment: how it ended is in its charge and in the tries",
    "passkey_offers": "a random number that a new passkey has to sign, for a few minutes",
    "pending": "how a reservation stands: the state of its charge says it",
    "refused": "what the ledger refused: the charge's reason says it; a top-up that was refused moved nothing",
}


@dataclass(frozen=True, repr=False)
class EnrolmentLine:
    """
    Carry the enrolment of a palm: `state` is pending, enrolled or declined.
    """

    enrolment_id: str
    state: str
    reason: str | None
    begun_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, repr=False)
class CodeLine:
    """
    Carry a code to type at a till, with how often it was typed wrongly.
    """

    code: str
    expires_at_ms: int
    used_at_ms: int | None
    wrong_attempts: int


@dataclass(frozen=True, repr=False)
class OrderLine:
    """
    Carry an order to a matcher about a palm, and the matcher's signed word that it was carried out.
    """

    enrolment_id: str
    kind: str
    matcher: str
    written_at_ms: int
    confirmed_at_ms: int | None
    confirmation: bytes | None
    confirmation_signature: bytes | None


@dataclass(frozen=True, repr=False)
class ChargeLine:
    """
    Carry a charge: `state` is reserved, approved, declined or voided, `factor` whether a PIN or a passkey was used.

    Whom it paid is not known, only which acquirer carried it.
    """

    charge_id: str
    amount_minor: int
    state: str
    reason: str | None
    at_ms: int
    factor: str | None
    acquirer: str | None


@dataclass(frozen=True, repr=False)
class ApprovalLine:
    """
    Carry what a passkey was asked to allow, and the charge that used it.
    """

    approval_id: str
    amount_minor: int
    currency: str
    asked_at_ms: int
    given_at_ms: int | None
    charge_id: str | None


def enrolments_of(uow: UnitOfWork, wallet_id: str) -> tuple[EnrolmentLine, ...]:
    """
    Return all enrolments of a wallet, oldest first.
    """
    rows = uow.rows(
        "SELECT id, state, reason, begun_at_ms, expires_at_ms FROM enrolments WHERE wallet_id = ?"
        " ORDER BY begun_at_ms, id LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(EnrolmentLine(*row) for row in rows)


def codes_of(uow: UnitOfWork, wallet_id: str) -> tuple[CodeLine, ...]:
    """
    Return the codes of a wallet.
    """
    rows = uow.rows(
        "SELECT code, expires_at_ms, used_at_ms, wrong_attempts FROM enrolment_codes WHERE wallet_id = ? LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(CodeLine(*row) for row in rows)


def orders_of(uow: UnitOfWork, wallet_id: str) -> tuple[OrderLine, ...]:
    """
    Return all orders about palms of a wallet, oldest first.
    """
    rows = uow.rows(
        "SELECT o.enrolment_id, o.kind, o.matcher, o.written_at_ms, o.confirmed_at_ms, o.confirmation,"
        " o.confirmation_signature FROM matcher_orders o JOIN enrolments e ON e.id = o.enrolment_id"
        " WHERE e.wallet_id = ? ORDER BY o.number LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(OrderLine(*row) for row in rows)


def charges_of(uow: UnitOfWork, wallet_id: str) -> tuple[ChargeLine, ...]:
    """
    Return all charges of a wallet, oldest first, with those that were declined.
    """
    rows = uow.rows(
        "SELECT id, amount_minor, state, reason, at_ms, factor, acquirer FROM charges WHERE wallet_id = ?"
        " ORDER BY at_ms, id LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(ChargeLine(*row) for row in rows)


def approvals_of(uow: UnitOfWork, wallet_id: str) -> tuple[ApprovalLine, ...]:
    """
    Return what passkeys of a wallet were asked to allow, oldest first.
    """
    rows = uow.rows(
        "SELECT id, amount_minor, currency, asked_at_ms, given_at_ms, charge_id FROM approvals WHERE wallet_id = ?"
        " ORDER BY asked_at_ms, id LIMIT ?",
        *(wallet_id, ROWS_READ_MAX),
    )
    return tuple(ApprovalLine(*row) for row in rows)
