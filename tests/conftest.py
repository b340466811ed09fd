"""
Set what holds for all tests: properties draw new examples on a developer's machine, and the same ones in CI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from handsel.store import database
from tests.postgresql import TestServer

# A property that fails for an example that nobody has seen before is found where somebody can look at it.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[TestServer]:
    """
    A PostgreSQL server; where none can be started, the tests that need one are skipped and say so.
    """
    try:
        server = TestServer()
    except Exception as exc:  # Whatever keeps it from starting is the reason.
        pytest.skip(f"PostgreSQL cannot be started here: {type(exc).__name__}")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    The kind of database that a path stands for in a test: a file, or a place in PostgreSQL.
    """
    kind = str(request.param)
    if kind == "postgresql":
        if request.node.get_closest_marker("sqlite"):
            pytest.skip("it is about a file")
        server: TestServer = request.getfixturevalue("postgresql")
        monkeypatch.setattr(database, "SqliteEngine", server.engine_at)
    return kind
