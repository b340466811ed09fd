"""
Join what two parties keep, as somebody does who has got hold of both: find identifiers that stand in both databases.

What is looked for are texts and blobs of eight bytes or more, ids also as the bytes that they write, and each also
inside of another value, where it may be packed, and hashed under a label of this project's. Words of the code, such as
a status, are no identifiers. Numbers are left out: that amounts and times coincide is said elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator

from handsel.store.database import Database, UnitOfWork
from handsel.store.postgresql import PostgresqlEngine

IDENTIFIER_BYTES_MIN = 8
WINDOW_BYTES = 16  # Of a hash, as many are enough to know it again, however it is written: 64 bits or more.
NAMES = (
    "charge-nonce",
    "order-id",
    "note-serial",
    "return-code",
    "receipt-key",
    "statement-key",
    "redemption",
    "binding",
    "till",
    "issuer-naming",
)
STEPS = ("charge", "capture", "refund", "payment:EUR", "refund:EUR")
LABELS = (
    b"",
    *(f"handsel/v1/{name}\0".encode() for name in NAMES),
    *(f"handsel/v1/step\0{step}\0".encode() for step in STEPS),
)
_WORD = re.compile(rb"[a-z_:]+(:?EUR)?")  # A word of the schema, or an account that everybody has.
_HEXADECIMAL = re.compile(rb"(?:[0-9a-f]{2}){8,}")
_BETWEEN = b"\0between values\0"

# What may stand at both, as it leads from no payment, refund or enrolment to a wallet: keys of notes, which thousands
# have; what is sold to the acquirer, signed blindly; what is redeemed for the acquirer, in shuffled batches, and not
# into a wallet. A redemption that redeemed nothing is not among it: by it a refund was found out.
_HARMLESS = (
    "SELECT key_id FROM note_totals",
    "SELECT id FROM note_purchases",
    "SELECT request_id FROM redeemed_notes WHERE request_id IN (SELECT id FROM redemptions)",
    "SELECT serial FROM redeemed_notes WHERE request_id IN (SELECT id FROM redemptions)",
)

Kept = dict[bytes, set[str]]  # Each value, and in which columns it stands.
Found = dict[str, set[str]]  # In which columns something stands, and in which of the other party it stands as well.


def joined(issuer: Database, acquirer: Database) -> Found:
    """
    Return what joins the records of an issuer and an acquirer: nothing, if all that they hold has ended.

    Each value of either is looked for at the other, as it is and hashed; also hashed behind the id of each charge.
    """
    at_issuer, at_acquirer = kept_in(issuer), kept_in(acquirer)
    with issuer.unit_of_work() as uow:
        harmless = {form for query in _HARMLESS for (value,) in uow.rows(query) for form in _forms(value)}
    charge_ids = [value for value, columns in at_acquirer.items() if "charges.id" in columns]
    found: Found = {}
    for one, other in ((at_issuer, at_acquirer), (at_acquirer, at_issuer)):
        mine = {value: columns for value, columns in one.items() if value not in harmless}
        for values in (_values_in(mine, other), _images_in(mine, other, beside=(b"", *charge_ids))):
            for column, where in values.items():
                found.setdefault(column, set()).update(where)
    return found


def kept_in(database: Database) -> Kept:
    """
    Return all identifiers in a database.
    """
    found: Kept = {}
    is_postgresql = isinstance(database._engine, PostgresqlEngine)
    with database.unit_of_work() as uow:
        for table in _tables(uow, is_postgresql=is_postgresql):
            columns = _columns(uow, table, is_postgresql=is_postgresql)
            for row in uow.rows(f"SELECT {', '.join(columns)} FROM {table}"):  # noqa: S608
                for column, value in zip(columns, row, strict=True):
                    for form in _forms(value):
                        found.setdefault(form, set()).add(f"{table}.{column}")
    return found


def _values_in(values: Kept, others: Kept) -> Found:
    """
    Return the columns of values that the other has, each by itself or within a longer one.
    """
    found: Found = {}
    haystack = _BETWEEN.join(others)
    for value, columns in values.items():
        if any(form in haystack for form in _written(value)):
            _add(found, columns, _where(others, _written(value)))
    return found


def _images_in(values: Kept, others: Kept, *, beside: Iterable[bytes]) -> Found:
    """
    Return the columns of values of which the other has a hash, by itself or within a longer value: SHA-256 of a label,
    one of `beside` and the value.
    """
    found: Found = {}
    windows = {each[at : at + WINDOW_BYTES] for each in others for at in range(len(each) - WINDOW_BYTES + 1)}
    starts = [label + prefix for label in LABELS for prefix in beside]
    for value, columns in values.items():
        for start in starts:
            digest = hashlib.sha256(start + value).digest()
            marks = [form[:WINDOW_BYTES] for form in _written(digest)]
            if not windows.isdisjoint(marks):
                _add(found, columns, _where(others, marks))
    return found


def _add(found: Found, columns: Iterable[str], where: set[str]) -> None:
    for column in columns:
        found.setdefault(column, set()).update(where)


def _where(kept: Kept, forms: Iterable[bytes]) -> set[str]:
    return {column for form in forms for value, columns in kept.items() if form in value for column in columns}


def _written(value: bytes) -> tuple[bytes, ...]:
    ways: tuple[Callable[[bytes], bytes], ...] = (bytes, lambda raw: raw.hex().encode(), base64.b64encode)
    return tuple(write(value) for write in ways)


def _forms(value: object) -> Iterator[bytes]:
    raw = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
    if len(raw) < IDENTIFIER_BYTES_MIN or _WORD.fullmatch(raw):
        return
    yield raw
    if _HEXADECIMAL.fullmatch(raw):
        yield bytes.fromhex(raw.decode())


def _tables(uow: UnitOfWork, *, is_postgresql: bool) -> tuple[str, ...]:
    sql = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        if is_postgresql
        else "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return tuple(str(name) for (name,) in uow.rows(sql))


def _columns(uow: UnitOfWork, table: str, *, is_postgresql: bool) -> tuple[str, ...]:
    sql = (
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?"
        if is_postgresql
        else "SELECT name FROM pragma_table_info(?)"
    )
    return tuple(str(name) for (name,) in uow.rows(sql, table))
