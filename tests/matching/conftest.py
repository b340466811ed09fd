"""
Give the tests of the blind match three running matchers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handsel.matching.message import MATCHERS
from tests.matching.three import Three


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    """
    Three running matchers with empty galleries.
    """
    running = Three(tmp_path)
    for name in MATCHERS:
        running.start(name)
    yield running
    running.close()
