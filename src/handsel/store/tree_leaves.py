"""
Make leaves of the rows of the ledger: their hashes, for the tree, and openings, for whom a step concerns.

A leaf is nothing but its row and the ledger's secret: whoever has both finds the same hash again at any time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

from handsel.errors import StoreCorrupt, ensure
from handsel.pay.batch import REFUSED
from handsel.proof.leaf import (
    CREDIT,
    DEBIT,
    KINDS,
    AccountOpening,
    Commitments,
    Leaf,
    RunningOpening,
    commit_account,
    commit_running,
    encode,
    nonces,
)
from handsel.proof.merkle import leaf_hash
from handsel.proof.statement import StatementLine
from handsel.store.database import UnitOfWork
from handsel.store.engine import Row

_COLUMNS = (
    "sequence, id, kind, debit, credit, amount_minor, code, pending_id, link_id, happened_at_ms, at_ms,"
    " debit_balance_minor, credit_balance_minor, debit_number, credit_number"
)
_RANGE = f"SELECT {_COLUMNS} FROM transfers WHERE sequence > ? AND sequence <= ? ORDER BY sequence"  # noqa: S608
_OF_IDS = f"SELECT {_COLUMNS} FROM transfers WHERE id IN (?)"  # noqa: S608
_REFUSED = (
    "SELECT id, kind, debit, credit, amount_minor, currency, code, pending_id, link_id, happened_at_ms, refusal"
    " FROM refused WHERE id IN (?)"
)


class SideRow(msgspec.Struct, frozen=True):
    """
    Carry one side of a step: its account, and number and balance of its entry there, both 0 where it books none.
    """

    account: str
    number: int
    balance_minor: int

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "SideRow()"


class LeafRow(msgspec.Struct, frozen=True):
    """
    Carry all that a leaf is made of, but the secret bytes.
    """

    sequence: int
    id: bytes
    kind: str
    amount_minor: int
    currency: str
    code: str
    pending_id: bytes | None
    link_id: bytes | None
    happened_at_ms: int | None
    at_ms: int
    refusal: str
    debit: SideRow
    credit: SideRow

    def __repr__(self) -> str:
        """
        Return nothing of the step.
        """
        return "LeafRow()"


def rows_after(uow: UnitOfWork, sequence: int, *, limit: int) -> list[LeafRow]:
    """
    Return the steps after a place of the ledger, in their order, at most `limit`.
    """
    return _completed(uow, uow.rows(_RANGE, sequence, sequence + limit))


def rows_of(uow: UnitOfWork, ids: Iterable[str]) -> list[LeafRow]:
    """
    Return the steps of those ids that there are, in the order of the ledger.
    """
    return _completed(uow, sorted(uow.rows_in(_OF_IDS, [bytes.fromhex(each) for each in ids])))


def hash_of_row(row: LeafRow, secret: bytes) -> bytes:
    """
    Return the hash of a step's leaf: that of `leaf_of`, with fewer values on the way.

    Raises `StoreCorrupt` where a row holds what no step does: somebody has written to it.
    """
    try:
        return _hash(row, secret)
    except (KeyError, ValueError, struct.error) as exc:
        raise StoreCorrupt(f"step {row.sequence} of the ledger is none: run handsel check-ledger") from exc


def leaf_of(row: LeafRow, secret: bytes) -> Leaf:
    """
    Return the leaf of a step, closed.
    """
    return Leaf(
        sequence=row.sequence,
        id=row.id.hex(),
        kind=row.kind,
        amount_minor=row.amount_minor,
        currency=row.currency,
        code=row.code,
        at_ms=row.at_ms,
        debit=_commitments(row, DEBIT, secret),
        credit=_commitments(row, CREDIT, secret),
        happened_at_ms=row.happened_at_ms,
        pending_id=row.pending_id.hex() if row.pending_id is not None else None,
        link_id=row.link_id.hex() if row.link_id is not None else None,
        refusal=row.refusal,
    )


def open_account_of(row: LeafRow, side: str, secret: bytes) -> AccountOpening:
    """
    Open which account stands on one side of a step.
    """
    drawn = nonces(secret, row.sequence)
    return (
        AccountOpening(row.debit.account, drawn[0]) if side == DEBIT else AccountOpening(row.credit.account, drawn[2])
    )


def open_running_of(row: LeafRow, side: str, secret: bytes) -> RunningOpening:
    """
    Open which entry of its account a step is on one side, and what it leaves there.
    """
    drawn = nonces(secret, row.sequence)
    half, nonce = (row.debit, drawn[1]) if side == DEBIT else (row.credit, drawn[3])
    return RunningOpening(half.number, half.balance_minor, nonce)


def line_of(row: LeafRow, account: str, secret: bytes) -> StatementLine:
    """
    Open a step to whoever has `account`, which is on one of its sides.
    """
    side = DEBIT if row.debit.account == account else CREDIT
    ensure(account in (row.debit.account, row.credit.account), "a step is shown to whom it concerns")
    return StatementLine(
        leaf=leaf_of(row, secret),
        side=side,
        account_nonce=open_account_of(row, side, secret).nonce,
        running=open_running_of(row, side, secret),
    )


def _hash(row: LeafRow, secret: bytes) -> bytes:
    debit_nonce, debited_nonce, credit_nonce, credited_nonce = nonces(secret, row.sequence)
    debit, credit = row.debit, row.credit
    commitments = (
        commit_account(debit.account, debit_nonce),
        commit_running(debit.number, debit.balance_minor, debited_nonce),
        commit_account(credit.account, credit_nonce),
        commit_running(credit.number, credit.balance_minor, credited_nonce),
    )
    return leaf_hash(
        encode(
            *(row.sequence, row.id, KINDS[row.kind], row.amount_minor, row.currency, row.at_ms, row.happened_at_ms),
            *(row.pending_id, row.link_id, commitments, row.code, row.refusal),
        )
    )


def _commitments(row: LeafRow, side: str, secret: bytes) -> Commitments:
    return Commitments(open_account_of(row, side, secret).commitment(), open_running_of(row, side, secret).commitment())


def _completed(uow: UnitOfWork, rows: list[Row]) -> list[LeafRow]:
    """
    Return the rows with the names of their accounts and, of steps that were refused, what was asked.
    """
    numbers = {number for row in rows for number in (row[3], row[4])}
    named = uow.rows_in("SELECT number, id, currency FROM accounts WHERE number IN (?)", sorted(numbers))
    accounts = {number: (name, currency) for number, name, currency in named}
    asked = {row[0]: row for row in uow.rows_in(_REFUSED, [row[1] for row in rows if row[2] == REFUSED])}
    return [_refused(row, asked[row[1]]) if row[1] in asked else _booked(row, accounts) for row in rows]


def _booked(row: Row, accounts: dict[int, tuple[str, str]]) -> LeafRow:
    sequence, step_id, kind, debit, credit, amount_minor, code, pending_id, link_id, happened_at_ms, at_ms = row[:11]
    debit_left, credit_left, debit_number, credit_number = row[11:]
    nobody = ("", "")  # Of a row that was tampered with: its leaf is another one then.
    (debited, currency), (credited, _) = accounts.get(debit, nobody), accounts.get(credit, nobody)
    return LeafRow(
        *(sequence, step_id, kind, amount_minor, currency, code, pending_id, link_id, happened_at_ms, at_ms, ""),
        SideRow(debited, debit_number or 0, debit_left or 0),
        SideRow(credited, credit_number or 0, credit_left or 0),
    )


def _refused(row: Row, asked: Row) -> LeafRow:
    _, kind, debit, credit, amount_minor, currency, code, pending_id, link_id, happened_at_ms, refusal = asked
    return LeafRow(
        *(row[0], row[1], kind, amount_minor or 0, currency or "", code or "", pending_id, link_id),
        *(happened_at_ms, row[10], refusal),
        SideRow(debit or "", 0, 0),
        SideRow(credit or "", 0, 0),
    )
