"""
Give the tests of the acquirer a street: a shop with a till, an acquirer, an issuer, three matchers and customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.notes.issue import NoteKeys
from tests.flows.acquiring.street import Street
from tests.notes.fresh_keys import fresh_note_keys
from tests.postgresql import TestServer


@pytest.fixture(scope="session")
def note_keys() -> NoteKeys:
    """
    Keys for notes of 1 to 256 cents, made once: making an RSA key takes time.
    """
    return fresh_note_keys(denominations=tuple(1 << power for power in range(9)))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, note_keys: NoteKeys) -> Street:
    """
    Everybody, with one customer, `ann`, who has 100.00 EUR; with closed books, to be copied.
    """
    made = Street(tmp_path_factory.mktemp("street"), note_keys)
    made.enrol("ann")
    made.close()
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def street(request: pytest.FixtureRequest, tmp_path: Path, model: Street) -> Iterator[Street]:
    """
    Everybody, with one customer: `ann`, who has 100.00 EUR; the acquirer's books are a file, or in PostgreSQL.
    """
    url = ""
    if request.param == "postgresql":
        if request.node.get_closest_marker("sqlite"):
            pytest.skip("it is about a file")
        server: TestServer = request.getfixturevalue("postgresql")
        url = server.url_at(tmp_path)
    made = model.copied_to(tmp_path, url=url)
    yield made
    made.close()
