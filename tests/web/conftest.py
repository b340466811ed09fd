"""
Give the tests of the pages an issuer with its surroundings, or a whole street with a shop.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.notes.issue import NoteKeys
from tests.flows.acquiring.street import Street
from tests.flows.issuing.scene import Scene
from tests.notes.fresh_keys import fresh_note_keys


@pytest.fixture(scope="session")
def note_keys() -> NoteKeys:
    """
    Keys for all denominations, made once: it takes about a second.
    """
    return fresh_note_keys()


@pytest.fixture
def scene(tmp_path: Path, note_keys: NoteKeys) -> Iterator[Scene]:
    """
    An issuer without customers; three matchers and a till of a few lines each.
    """
    made = Scene(tmp_path / "issuer", note_keys)
    yield made
    made.issuer.database.close()


@pytest.fixture
def street(tmp_path: Path, note_keys: NoteKeys) -> Iterator[Street]:
    """
    A shop with a till, an acquirer, an issuer, and one customer: `ann`, who has 100.00 EUR.
    """
    made = Street(tmp_path, note_keys)
    made.enrol("ann")
    yield made
    made.close()
