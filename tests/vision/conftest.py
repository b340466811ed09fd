"""
Open the reader once for all tests of vision, draw what they show it, and find the photographs where there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.vision.eyes import open_reader
from handsel.vision.frame import Frame
from handsel.vision.read_palm import PalmReader, PalmReading

PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "palms"


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
def reader() -> PalmReader:
    """
    Return the reader in use.
    """
    return open_reader()


@pytest.fixture(scope="session")
def drawn_frame() -> Frame:
    """
    Return a good picture of a drawn hand.
    """
    return Frame(pixels=DrawnPerson(9).frame(0))


@pytest.fixture(scope="session")
def drawn_reading(reader: PalmReader, drawn_frame: Frame) -> PalmReading:
    """
    Return what is read from a good picture of a drawn hand.
    """
    reading = reader.read(drawn_frame)
    assert isinstance(reading, PalmReading)
    return reading


@pytest.fixture(scope="session")
def photographs() -> Path:
    """
    Return the folder of photographs of hands; without one the test is skipped, and says so.
    """
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("there are no photographs of palms beside this checkout (../shared/palms)")
    return PHOTOGRAPHS


def draw_face(seed: int) -> Frame:
    """
    Return a drawn face with neck, hair, eyes and ears: skin that is no hand.
    """
    rng = np.random.default_rng(seed)
    image = np.full((480, 640, 3), rng.integers(40, 220, 3), np.uint8)
    x, y, size = rng.integers(220, 420), rng.integers(180, 300), rng.uniform(0.6, 1.3)
    skin = np.array([224, 180, 150]) * rng.uniform(0.4, 1.05)

    def oval(across: float, down: float, width: float, height: float, colour: NDArray[Any]) -> None:
        middle = (int(x + across * size), int(y + down * size))
        axes = (int(width * size), int(height * size))
        cv2.ellipse(image, middle, axes, 0, 0, 360, colour.tolist(), -1, cv2.LINE_AA)

    oval(0, 160, 45, 120, skin)  # Neck, head, hair, then ears and eyes.
    oval(0, 0, 95, 130, skin)
    oval(0, -95, 100, 60, skin * 0.4)
    for side in (-1, 1):
        oval(100 * side, 0, 14, 28, skin)
        oval(38 * side, -20, 16, 8, np.array([240, 240, 240]))
        oval(38 * side, -20, 7, 7, np.array([40, 30, 20]))
        oval(38 * side, -42, 22, 4, skin * 0.5)
    oval(0, 20, 14, 22, skin * 0.85)
    oval(0, 65, 38, 12, np.array([160, 70, 70]))
    return Frame(pixels=np.asarray(cv2.GaussianBlur(image, (0, 0), 1.2), np.uint8))


def draw_noise(seed: int) -> Frame:
    """
    Return coloured noise, coarse or fine.
    """
    rng = np.random.default_rng(seed)
    side = int(rng.integers(4, 480))
    noise = rng.integers(0, 256, (side, side, 3)).astype(np.uint8)
    return Frame(pixels=np.asarray(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8))


def draw_ovals(seed: int) -> Frame:
    """
    Return a few ovals of any colour: objects that are no hand.
    """
    rng = np.random.default_rng(seed)
    image = np.full((480, 640, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(int(rng.integers(1, 8))):
        middle = (int(rng.integers(640)), int(rng.integers(480)))
        axes = (int(rng.integers(20, 200)), int(rng.integers(20, 200)))
        colour = rng.integers(0, 256, 3).tolist()
        cv2.ellipse(image, middle, axes, float(rng.integers(180)), 0, 360, colour, -1, cv2.LINE_AA)
    return Frame(pixels=image)
