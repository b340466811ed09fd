"""
Look at all that an issuer keeps, whichever database it is in.
"""

from __future__ import annotations

from handsel.errors import StoreError
from tests.flows.issuing.scene import Scene

TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'",
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
)
Rows = dict[str, list[tuple[object, ...]]]


def rows_of(scene: Scene) -> Rows:
    """
    Return every row of every table of the issuer.
    """
    names = next(found for query in TABLES if (found := _names(scene, query)))
    with scene.issuer.database.unit_of_work() as uow:
        return {name: list(uow.rows(f"SELECT * FROM {name}")) for name in names}  # noqa: S608


def octets(rows: Rows) -> bytes:
    """
    Return all that is in these rows, one value after another.
    """
    values = (value for table in rows.values() for row in table for value in row)
    return b"\0\0".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _names(scene: Scene, query: str) -> list[str]:
    try:
        with scene.issuer.database.unit_of_work() as uow:
            return [name for (name,) in uow.rows(query)]
    except StoreError:  # It is the other database's.
        return []
