"""
Give the tests of notes one set of keys: making an RSA key takes time.
"""

from __future__ import annotations

import pytest

from handsel.notes.issue import NoteKeys
from tests.notes.fresh_keys import fresh_note_keys


@pytest.fixture(scope="session")
def note_keys() -> NoteKeys:
    """
    Keys for notes of 1, 2, 4 and 8 cents.
    """
    return fresh_note_keys(denominations=(1, 2, 4, 8))
