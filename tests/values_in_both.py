"""
Walk two databases, and find what stands in both: an identifier by which their owners could join what each knows.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator

from handsel.ids import ID_BYTES
from handsel.store.database import UnitOfWork

VALUE_BYTES_MIN = 8
NAMES = ("order-id", "return-code", "receipt-key", "statement-key", "redemption", "binding", "till", "issuer-naming")
STEPS = ("charge", "capture", "refund", "payment:EUR", "refund:EUR")
LABELS = (
    b"",
    *(f"handsel/v1/{name}\0".encode() for name in NAMES),
    *(f"handsel/v1/step\0{step}\0".encode() for step in STEPS),
)
_WORD = re.compile(rb"[a-z_:]+(:?EUR)?")  # A word of the schema, or an account that everybody has.
_HEXADECIMAL = re.compile(rb"(?:[0-9a-f]{2}){8,}")

Values = dict[bytes, set[str]]


def values_in(uow: UnitOfWork, *, is_postgresql: bool = False) -> Values:
    """
    Return every text and blob of 8 bytes or more in every table, and in which columns it stands. Numbers are amounts,
    times and counts. What is written in hexadecimal digits counts as the bytes that it stands for, too.
    """
    found: Values = {}
    for table in sorted(_tables(uow, is_postgresql=is_postgresql)):
        columns = _columns(uow, table, is_postgresql=is_postgresql)
        for row in uow.rows(f"SELECT {', '.join(columns)} FROM {table}"):  # noqa: S608
            for column, value in zip(columns, row, strict=True):
                for each in _forms(value):
                    found.setdefault(each, set()).add(f"{table}.{column}")
    return found


def in_both(one: Values, other: Values, *, allowed: Iterable[bytes]) -> dict[str, set[str]]:
    """
    Return the columns of both in which a value stands that the other has, by itself or within a longer one.
    """
    may_be = _all_forms(allowed)
    found: dict[str, set[str]] = {}
    for values, others in ((one, other), (other, one)):
        haystack = b"\n".join(others)
        for value in values.keys() - may_be:
            if any(form in haystack for form in _written(value)):
                where = {name for each, names in others.items() if value in each for name in names}
                for column in values[value]:
                    found.setdefault(column, set()).update(where or {"within another value"})
    return found


def images_in_both(
    one: Values, other: Values, *, allowed: Iterable[bytes], beside: Iterable[bytes] = ()
) -> dict[str, set[str]]:
    """
    Return the columns in which a value stands that is a hash of a value of the other under a label of this project's;
    each also with one of `beside` before it.
    """
    found: dict[str, set[str]] = {}
    may_be, prefixes = _all_forms(allowed), (b"", *beside)
    for values, others in ((one, other), (other, one)):
        for value in values.keys() - may_be:
            for start in (label + prefix for label in LABELS for prefix in prefixes):
                digest = hashlib.sha256(start + value).digest()
                where = others.get(digest, set()) | others.get(digest[:ID_BYTES], set())
                for column in values[value] if where else ():
                    found.setdefault(column, set()).update(where)
    return found


def _tables(uow: UnitOfWork, *, is_postgresql: bool) -> Iterator[str]:
    sql = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        if is_postgresql
        else "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    yield from (str(name) for (name,) in uow.rows(sql))


def _columns(uow: UnitOfWork, table: str, *, is_postgresql: bool) -> tuple[str, ...]:
    sql = (
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?"
        if is_postgresql
        else "SELECT name FROM pragma_table_info(?)"
    )
    return tuple(str(name) for (name,) in uow.rows(sql, table))


def _forms(value: object) -> Iterator[bytes]:
    raw = value.encode() if isinstance(value, str) else bytes(value) if isinstance(value, bytes | memoryview) else b""
    if len(raw) < VALUE_BYTES_MIN or _WORD.fullmatch(raw):
        return
    yield raw
    if _HEXADECIMAL.fullmatch(raw):
        yield bytes.fromhex(raw.decode())


def _all_forms(values: Iterable[bytes]) -> set[bytes]:
    return {form for value in values for form in _forms(value)}


def _written(value: bytes) -> tuple[bytes, ...]:
    ways: tuple[Callable[[bytes], bytes], ...] = (bytes, lambda raw: raw.hex().encode(), base64.b64encode)
    return tuple(write(value) for write in ways)
