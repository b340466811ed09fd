"""
A frame is a whole picture, upright and of a size that can be worked with; or it is refused before it costs anything.
"""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from handsel.errors import FrameTooLarge, FrameUnreadable, HandselError
from handsel.vision.frame import (
    EXIF_ORIENTATION,
    FRAME_BYTES_MAX,
    FRAME_SIDE_PX_MAX,
    FRAME_SIDE_PX_MIN,
    Frame,
    decode_file,
    decode_frame,
    shrink,
)


def picture(width: int = 80, height: int = 48) -> Image.Image:
    """
    Return a smooth picture whose four corners differ.
    """
    y, x = np.mgrid[0:height, 0:width]
    channels = (x * 255 // (width - 1), y * 255 // (height - 1), np.full_like(x, 60))
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def encode(image: Image.Image, kind: str, orientation: int | None = None) -> bytes:
    """
    Return `image` as a file, with an EXIF orientation tag if one is given.
    """
    exif = Image.Exif()
    if orientation is not None:
        exif[EXIF_ORIENTATION] = orientation
    content = io.BytesIO()
    image.save(content, kind, exif=exif) if kind in {"JPEG", "PNG"} else image.save(content, kind)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    """
    Return a PNG that says it is `width` × `height`, and holds next to nothing.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    """
    Return a JPEG whose frame header says it is `width` × `height`.
    """
    content = bytearray(encode(picture(), "JPEG"))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_of_a_camera_is_decoded(kind: str) -> None:
    frame = decode_frame(encode(picture(), kind))

    assert (frame.width, frame.height) == (80, 48)
    assert np.abs(frame.pixels.astype(int) - np.asarray(picture()).astype(int)).max() <= (8 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_its_exif_tag_says(kind: str, orientation: int) -> None:
    # EXIF 2.32: where the stored row 0 and column 0 are shown. The inverse of each is worked out by hand with numpy.
    upright = np.asarray(picture())
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]

    frame = decode_frame(encode(Image.fromarray(np.ascontiguousarray(stored)), kind, orientation))

    assert np.abs(frame.pixels.astype(int) - upright.astype(int)).max() <= 12


def test_grey_and_transparent_pictures_become_rgb() -> None:
    for mode in ("L", "LA", "RGBA", "P"):
        assert decode_frame(encode(picture().convert(mode), "PNG")).pixels.shape == (48, 80, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_refused_whole(kind: str) -> None:
    content = encode(picture(640, 480), kind)

    for share in (0.1, 0.5, 0.9):
        with pytest.raises(FrameUnreadable):
            decode_frame(content[: int(len(content) * share)])


def test_what_is_no_image_is_refused() -> None:
    for content in (b"", b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg/>", bytes(5000)):
        with pytest.raises(FrameUnreadable):
            decode_frame(content)


@pytest.mark.parametrize("content", [png_header(10_000, 10_000), jpeg_header(10_000, 10_000)], ids=["png", "jpeg"])
def test_a_hundred_megapixels_are_refused_by_their_header(content: bytes) -> None:
    decode_frame(encode(picture(), "JPEG"))
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(FrameTooLarge):
        decode_frame(content)
    took_s, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert took_s < 0.1
    assert peak < 1_000_000


def test_the_limit_of_pixels_is_exact() -> None:
    with pytest.raises(FrameTooLarge):
        decode_frame(png_header(5001, 5000))
    with pytest.raises(FrameUnreadable, match="incomplete"):  # Passed the size, then had too few pixels in it.
        decode_frame(png_header(5000, 5000))


def test_the_limit_of_bytes_is_exact() -> None:
    content = encode(picture(), "JPEG")

    assert decode_frame(content + bytes(FRAME_BYTES_MAX - len(content))).width == 80
    with pytest.raises(FrameTooLarge):
        decode_frame(content + bytes(FRAME_BYTES_MAX - len(content) + 1))


def test_print_colours_and_sixteen_bits_are_refused() -> None:
    deep = Image.fromarray(np.zeros((48, 80), np.uint16))

    for content in (encode(picture().convert("CMYK"), "JPEG"), encode(deep, "PNG")):
        with pytest.raises(FrameUnreadable):
            decode_frame(content)


def test_a_bitmap_is_read_from_disk_but_not_from_a_stranger() -> None:
    content = encode(picture(), "BMP")

    assert np.array_equal(decode_file(content).pixels, np.asarray(picture()))
    with pytest.raises(FrameUnreadable):
        decode_frame(content)


def test_damaged_files_raise_nothing_but_our_own() -> None:
    seed = 11
    rng = np.random.default_rng(seed)
    for kind in ("JPEG", "PNG", "BMP", "TIFF"):
        whole = np.frombuffer(encode(picture(), kind, 6), np.uint8)
        for _ in range(150):
            damaged = whole.copy()
            damaged[rng.integers(4, len(whole), 4)] = rng.integers(0, 256, 4)
            try:
                decode_file(damaged.tobytes())
            except HandselError:
                continue


def test_a_large_picture_is_shrunk_to_the_working_size() -> None:
    assert tuple(reversed(decode_frame(encode(picture(2560, 1920), "JPEG")).pixels.shape[:2])) == (
        FRAME_SIDE_PX_MAX,
        960,
    )
    assert shrink(np.zeros((641, FRAME_SIDE_PX_MAX + 2, 3), np.uint8)).shape == (640, FRAME_SIDE_PX_MAX, 3)
    at_limit = np.zeros((10, FRAME_SIDE_PX_MAX, 3), np.uint8)
    assert shrink(at_limit) is at_limit


def test_a_frame_refuses_what_is_no_picture_and_shows_no_pixel() -> None:
    side = FRAME_SIDE_PX_MIN
    assert repr(Frame(pixels=np.zeros((side, side, 3), np.uint8))) == "Frame()"
    for pixels in (
        np.zeros((side, side), np.uint8),
        np.zeros((side, side, 4), np.uint8),
        np.zeros((side, side - 1, 3), np.uint8),
    ):
        with pytest.raises(FrameUnreadable):
            Frame(pixels=pixels)
