"""
Measure what one camera frame costs the till: `python bench/frame.py`.

Prints the median of each step over drawn frames, on one thread, and as its last line one JSON object.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import cv2

from handsel.drawn.camera import as_jpeg
from handsel.drawn.person import DrawnPerson
from handsel.vision.eyes import open_reader
from handsel.vision.frame import decode_frame
from handsel.vision.read_palm import PalmReading

PEOPLE = 10
SHOTS = 4
JPEG_QUALITY = 90

T = TypeVar("T")


def main() -> None:
    """
    Time decoding and reading of drawn frames.
    """
    cv2.setNumThreads(1)
    reader = open_reader()
    people = [DrawnPerson(seed) for seed in range(1, PEOPLE + 1)]
    jpegs = [as_jpeg(person.frame(shot), quality=JPEG_QUALITY) for person in people for shot in range(SHOTS)]
    decoding, reading, read = [], [], 0
    for jpeg in jpegs:
        frame, decode_ms = _timed(partial(decode_frame, jpeg))
        outcome, read_ms = _timed(partial(reader.read, frame))
        decoding.append(decode_ms)
        reading.append(read_ms)
        read += isinstance(outcome, PalmReading)
    figures = {
        "frames": len(jpegs),
        "read": read,
        "decode_ms": round(statistics.median(decoding), 1),
        "read_ms": round(statistics.median(reading), 1),
        "total_ms": round(statistics.median(map(sum, zip(decoding, reading, strict=True))), 1),
    }
    print(f"{figures['read']} of {figures['frames']} drawn frames (960 × 720) read; median ms on one thread:")
    print(f"  decode {figures['decode_ms']}   find, square, gate, 9 views {figures['read_ms']}")
    print(f"  all {figures['total_ms']}")
    print(json.dumps(figures))


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = call()
    return result, 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
