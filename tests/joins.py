"""
Join what two parties keep, as somebody does who has got hold of both: look for what stands in both databases.

What is looked for are values of eight bytes or more: texts and blobs, ids also as the bytes that they write, and each
also inside of another value, where it may be packed. Words of the code, such as a status, are no identifiers. Numbers
are left out: that amounts and times coincide is said elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from handsel.errors import StoreError
from handsel.store.database import Database

IDENTIFIER_BYTES_MIN = 8
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'",
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
)
_WORD = re.compile(rb"[a-z_]+(:[A-Z]{3})?")  # Also an account without an owner. Random ids have digits.
_BETWEEN = b"\0between values\0"

Kept = dict[bytes, set[str]]  # Each value, and in which columns it stands.


def kept_in(database: Database) -> Kept:
    """
    Return all identifiers in a database.
    """
    found: Kept = defaultdict(set)
    for table in next(names for query in _TABLES if (names := _names(database, query))):
        with database.unit_of_work() as uow:
            rows = uow.rows(f"SELECT * FROM {table}")  # noqa: S608
        for row in rows:
            for place, value in enumerate(row):
                for form in _forms(value):
                    found[form].add(f"{table}[{place}]")
    return found


def common(one: Kept, other: Kept) -> dict[bytes, frozenset[str]]:
    """
    Return what stands in both, whole or inside of another value, with the columns of `other` in which it does.
    """
    inside_one, inside_other = _BETWEEN.join(one), _BETWEEN.join(other)
    both = {value for value in one if value in inside_other} | {value for value in other if value in inside_one}
    return {value: frozenset(_columns(other, value)) for value in both}


def _columns(kept: Kept, value: bytes) -> Iterable[str]:
    return (column for form, columns in kept.items() if value in form for column in columns)


def _forms(value: object) -> Iterator[bytes]:
    if not isinstance(value, str | bytes):
        return
    form = value.encode() if isinstance(value, str) else value
    if len(form) < IDENTIFIER_BYTES_MIN or _WORD.fullmatch(form):
        return
    yield form
    if len(form) >= 2 * IDENTIFIER_BYTES_MIN and re.fullmatch(rb"([0-9a-f]{2})+", form):
        yield bytes.fromhex(form.decode())


def _names(database: Database, query: str) -> list[str]:
    try:
        with database.unit_of_work() as uow:
            return [name for (name,) in uow.rows(query)]
    except StoreError:  # It is the other database's.
        return []
