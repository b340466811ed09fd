"""
Draw a few people once for all tests of drawn people, and open the finder and the model once.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest

from handsel.drawn.person import DrawnPerson
from handsel.vision.eyes import open_reader
from handsel.vision.read_palm import PalmReader


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """
    Keep OpenCV to one thread, as in production.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session")
def people() -> tuple[DrawnPerson, ...]:
    """
    Return four people.
    """
    return tuple(DrawnPerson(seed) for seed in range(101, 105))


@pytest.fixture(scope="session")
def reader() -> PalmReader:
    """
    Return the reader in use.
    """
    return open_reader()
