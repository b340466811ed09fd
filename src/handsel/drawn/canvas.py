"""
Hold the few verbs on arrays that all the drawing is made of: noise that is smooth, blur, resize, resample.

Every random number comes from the generator that is passed in. It knows nothing of hands.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


def smooth_field(rng: np.random.Generator, *, knots: int, size: int) -> FloatArray:
    """
    Return smooth noise of unit strength, float32 (size, size), with `knots` bumps along each side.
    """
    coarse = rng.standard_normal((knots, knots), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def smooth_row(rng: np.random.Generator, *, knots: int, count: int) -> FloatArray:
    """
    Return smooth noise of unit strength along a line, float32 (count,).
    """
    coarse = rng.standard_normal((1, knots), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (count, 1), interpolation=cv2.INTER_CUBIC)[0], dtype=np.float32)


def blurred(image: FloatArray, sigma_px: float) -> FloatArray:
    """
    Return `image` under a Gaussian blur; a sigma below a quarter of a pixel leaves it as it is.
    """
    if sigma_px < 0.25:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)


def resized(image: FloatArray, *, width: int, height: int) -> FloatArray:
    """
    Return `image` enlarged to `width` × `height`, bilinear.
    """
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def shrunk(image: ByteArray, *, size: int) -> ByteArray:
    """
    Return a square `image` shrunk to `size` × `size` by area.
    """
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def resampled(image: ByteArray, columns: FloatArray, rows: FloatArray) -> FloatArray:
    """
    Return what `image` holds at the given places, bilinear; beyond its edge it is continued by reflection.
    """
    found = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(found, dtype=np.float32)


def coordinates(size: int) -> tuple[FloatArray, FloatArray]:
    """
    Return the columns and rows of a square's pixel centres, from -0.5 to 0.5, each float32 (size, size).
    """
    line = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    columns, rows = np.meshgrid(line, line)
    return columns.astype(np.float32), rows.astype(np.float32)


def to_bytes(image: FloatArray) -> ByteArray:
    """
    Return `image` rounded down and clipped to 0 to 255.
    """
    return np.clip(image, 0.0, 255.0).astype(np.uint8)
