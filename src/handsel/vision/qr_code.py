"""
Find a QR code (ISO/IEC 18004) in a frame, and draw one. Says nothing of what it means.

The detector is the one of ArUco markers: OpenCV's older one never reads about one code in twenty-five, whatever the
picture. Looking takes 6 ms at a hand of 960 x 720 pixels, 20 to 30 ms at a card, and 150 ms at pure noise; it is done
only where a frame shows no palm.

LIMITATIONS: A sharp card is read from about 200 pixels across on, a third of a webcam's width; one that is out of focus
takes more. One frame has one code; of several, the first that reads counts.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.errors import ensure
from handsel.vision.frame import Frame

TEXT_CHARS_MAX = 200  # Of what is looked at; a card has 73.
MODULE_PX = 8  # Of a picture that is drawn: large enough for print.
QUIET_MODULES = 4  # White on all sides, ISO/IEC 18004 §5.3.8.
DRAWN_QUIET_MODULES = 2  # That OpenCV draws by itself.


def read_qr_code(frame: Frame) -> str | None:
    """
    Return the text of the QR code in a frame; None where there is none that reads.
    """
    grey = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
    try:
        text, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(grey)
    except (cv2.error, UnicodeDecodeError):  # Of codes that hold no text, or corners that make no square.
        return None
    return text if 0 < len(text) <= TEXT_CHARS_MAX else None


def draw_qr_code(text: str) -> NDArray[np.uint8]:
    """
    Return a QR code as grey pixels (S, S), of error correction M: a seventh of it may be soiled.
    """
    ensure(0 < len(text) <= TEXT_CHARS_MAX, "a code that is drawn has a text of bounded length")
    settings = cv2.QRCodeEncoder.Params()
    settings.correction_level = cv2.QRCodeEncoder_CORRECT_LEVEL_M
    modules = cv2.QRCodeEncoder.create(settings).encode(text)
    more = QUIET_MODULES - DRAWN_QUIET_MODULES
    framed = cv2.copyMakeBorder(modules, more, more, more, more, cv2.BORDER_CONSTANT, value=[255])
    return np.kron(framed, np.ones((MODULE_PX, MODULE_PX), np.uint8)).astype(np.uint8)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """
    Return grey pixels as a PNG file.
    """
    return cv2.imencode(".png", pixels)[1].tobytes()
