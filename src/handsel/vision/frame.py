"""
Hold one picture of a camera, and decode it from bytes that a stranger may have sent.

The size is read from the header before a pixel is decoded. Knows nothing of hands.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from handsel.errors import FrameTooLarge, FrameUnreadable

FRAME_BYTES_MAX = 16 * 2**20  # 16 MiB: four times a 12-megapixel JPEG of a phone.
FRAME_PIXELS_MAX = 25_000_000  # 75 MB as RGB; a 24-megapixel camera is the largest one sees at a till.
FRAME_SIDE_PX_MAX = 1280  # Working size: the square of a palm that fills the frame still has three pixels for one.
FRAME_SIDE_PX_MIN = 16  # Below this there is nothing to find.

EXIF_ORIENTATION = 0x0112
# EXIF 2.32, table 6: what undoes each value of the orientation tag.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MODES = frozenset({"L", "LA", "P", "RGB", "RGBA"})  # 16-bit and print colours do not come from a camera at a till.
Decoder = Callable[[io.BytesIO], Image.Image]
# The classes are called by name: `Image.open` would try thirty formats, and warn of large images by itself.
CAMERA_FORMATS: Mapping[bytes, Decoder] = {b"\xff\xd8\xff": JpegImageFile, b"\x89PNG\r\n\x1a\n": PngImageFile}
# What palm databases are kept in besides; only for files of the operator's own.
FILE_FORMATS: Mapping[bytes, Decoder] = {
    **CAMERA_FORMATS,
    b"BM": BmpImageFile,
    b"II*\x00": TiffImageFile,
    b"MM\x00*": TiffImageFile,
}


@dataclass(frozen=True, eq=False)
class Frame:
    """
    Hold one picture: `pixels` is uint8 (H, W, 3), RGB. Its repr shows no pixel.
    """

    pixels: NDArray[np.uint8] = field(repr=False)

    def __post_init__(self) -> None:
        """
        Refuse what is no picture. Raises `FrameUnreadable`.
        """
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
            raise FrameUnreadable("a frame is uint8 (H, W, 3), RGB")
        if min(shape[:2]) < FRAME_SIDE_PX_MIN:
            raise FrameUnreadable(f"a frame has at least {FRAME_SIDE_PX_MIN} pixels a side")

    @property
    def width(self) -> int:
        """
        Return the number of pixels across.
        """
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """
        Return the number of pixels down.
        """
        return int(self.pixels.shape[0])


def decode_frame(content: bytes) -> Frame:
    """
    Return the picture in a JPEG or PNG file, upright as its EXIF tag says, at most `FRAME_SIDE_PX_MAX` a side.

    1. Bytes beyond `FRAME_BYTES_MAX` are not looked at.
    2. Width and height are taken from the header; nothing is decoded above `FRAME_PIXELS_MAX`.
    3. A file that ends early is refused whole.

    Raises `FrameTooLarge`, `FrameUnreadable`.
    """
    return _decode(content, CAMERA_FORMATS)


def decode_file(content: bytes) -> Frame:
    """
    Return the picture in a JPEG, PNG, BMP or TIFF file of the operator's own, under the same limits.

    Raises `FrameTooLarge`, `FrameUnreadable`.
    """
    return _decode(content, FILE_FORMATS)


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Return `pixels` with its longest side at most `FRAME_SIDE_PX_MAX`, averaged by area; smaller ones as they are.
    """
    scale = FRAME_SIDE_PX_MAX / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _decode(content: bytes, formats: Mapping[bytes, Decoder]) -> Frame:
    if len(content) > FRAME_BYTES_MAX:  # 1
        raise FrameTooLarge(f"an image file has at most {FRAME_BYTES_MAX} bytes")
    decoder = next((decoder for signature, decoder in formats.items() if content.startswith(signature)), None)
    if decoder is None:
        raise FrameUnreadable("the image is in none of the formats that are read here")
    try:
        image = decoder(io.BytesIO(content))
    except Exception as exc:  # A decoder fed with hostile bytes raises what it likes; all of it means the same.
        raise FrameUnreadable("the image's header cannot be read") from exc
    if image.width * image.height > FRAME_PIXELS_MAX:  # 2
        raise FrameTooLarge(f"an image has at most {FRAME_PIXELS_MAX} pixels")
    if image.mode not in MODES:
        raise FrameUnreadable("an image is grey or RGB with 8 bits a channel")
    try:
        pixels = _decode_pixels(image)  # 3
    except Exception as exc:  # As above.
        raise FrameUnreadable("the image is damaged or incomplete") from exc
    return Frame(pixels=shrink(pixels))


def _decode_pixels(image: Image.Image) -> NDArray[np.uint8]:
    turn = TURNS.get(image.getexif().get(EXIF_ORIENTATION, 1))
    # A large JPEG is decoded at a half or a quarter, never below the working size.
    image.draft("RGB", (FRAME_SIDE_PX_MAX, FRAME_SIDE_PX_MAX))
    image.load()
    upright = image.convert("RGB")
    if turn is not None:
        upright = upright.transpose(turn)
    return np.asarray(upright, np.uint8)
