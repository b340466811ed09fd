"""
Give the tests of the issuer a scene: an issuer, three matchers and a till.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.notes.issue import NoteKeys
from tests.flows.issuing.scene import Scene
from tests.notes.fresh_keys import fresh_note_keys


@pytest.fixture(scope="session")
def note_keys() -> NoteKeys:
    """
    Keys for all denominations, made once: it takes about a second.
    """
    return fresh_note_keys()


@pytest.fixture
def scene(tmp_path: Path, note_keys: NoteKeys, engine: str) -> Iterator[Scene]:
    """
    An issuer with its surroundings, without customers.
    """
    made = Scene(tmp_path / "issuer", note_keys)
    yield made
    made.issuer.database.close()
