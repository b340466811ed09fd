"""
Make harder pictures out of a folder of photographs of hands, to test with and for nothing else.

Every picture `<person>/<shot>.jpg` gives `<person>/<shot>_<trouble>.jpg`, one for each trouble of `TROUBLES`: tilted,
bent, under coloured or dim light, blurred, half in shadow, badly compressed, wet, written on, small, turned, mirrored,
and several at once. The same folder and seed give the same pictures. Nothing is measured on the photographs, and
nothing that is written here may be fitted on: what comes out are people's hands as much as what goes in.

Usage: python -m training.harder_photos ../shared/palms FOLDER-OUTSIDE-THE-REPOSITORY [--seed 1]
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 960  # The longest side of what is written; a photograph is shrunk to it first.
FOCAL_SIDES = 1.1  # Focal length of the imagined camera, in longest sides: a phone's.
QUALITY = 92  # Of the JPEG, where compression is not the trouble.

Picture = NDArray[np.float32]  # (H, W, 3), BGR, 0..255
Trouble = Callable[[np.random.Generator, Picture], Picture]


def tilted(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture as a plane that is pitched and rolled, 15° to 40° in all, seen by a phone.
    """
    height, width = picture.shape[:2]
    tilt, towards = np.deg2rad(rng.uniform(15, 40)), rng.uniform(0, 2 * np.pi)
    rotation, _ = cv2.Rodrigues(np.array([np.cos(towards), np.sin(towards), 0.0]) * tilt)
    focal, distance = FOCAL_SIDES * max(height, width), FOCAL_SIDES * max(height, width)
    corners = np.array([(x, y, 0.0) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)])
    seen = corners @ rotation.T + (0, 0, distance)
    places = seen[:, :2] / seen[:, 2:] * focal + (width / 2, height / 2)
    source = (corners[:, :2] + (width / 2, height / 2)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, places.astype(np.float32))
    return warped(picture, np.asarray(matrix, np.float64))


def bent(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture stretched smoothly by up to about two parts in a hundred, as a soft hand is.
    """
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = rng.uniform(0.008, 0.02) * max(height, width)
    columns = columns + smooth(rng, picture, knots=5) * np.float32(reach)
    rows = rows + smooth(rng, picture, knots=5) * np.float32(reach)
    return np.asarray(cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def coloured(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture under a lamp of strong colour, with another one from the side.
    """
    gains = np.exp(rng.normal(0, 0.45, (2, 3)))
    gains /= gains.max(axis=1, keepdims=True)
    share = slope(rng, picture)[..., None]
    return np.asarray(picture * (share * gains[0] + (1 - share) * gains[1]) * rng.uniform(0.9, 1.5), np.float32)


def dim(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture with a sixth to a third of its light, and the noise of a sensor that makes up for half of it.
    """
    dark = picture * np.float32(rng.uniform(0.15, 0.35))
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(3, 7))
    return np.asarray((dark + cv2.GaussianBlur(noise, (0, 0), 0.6) * 1.5) * rng.uniform(1.2, 2.0), np.float32)


def blurred(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture out of focus, or moved.
    """
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(2, 4.5)), np.float32)
    length = int(rng.integers(7, 17))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def shaded(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture with a hard edge of shadow across the hand, and now and then a second one.
    """
    for _ in range(int(rng.integers(1, 3))):
        distance = across(rng, picture, spread=0.15)
        edge = 0.5 + 0.5 * np.tanh(distance / rng.uniform(2, 12))
        picture = picture * (1 - edge * rng.uniform(0.4, 0.75))[..., None].astype(np.float32)
    return picture


def compressed(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture as a JPEG of quality 25 at a half to the whole of its size.
    """
    height, width = picture.shape[:2]
    scale = rng.uniform(0.5, 1)
    small = cv2.resize(as_bytes(picture), (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32)


def wet(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture with gloss: broad shine, and spots and streaks that follow the brighter skin.
    """
    skin = skin_of(picture)
    shine = np.maximum(smooth(rng, picture, knots=6) - 0.6, 0) * np.float32(rng.uniform(25, 60))
    spots = np.zeros(picture.shape[:2], np.float32)
    for x, y in places_on(rng, skin, count=int(rng.integers(20, 60))):
        axes = (int(rng.integers(1, 9)), int(rng.integers(1, 4)))
        cv2.ellipse(spots, (x, y), axes, rng.uniform(0, 180), 0, 360, (rng.uniform(60, 220),), -1, cv2.LINE_AA)
    gloss = (shine + cv2.GaussianBlur(spots, (0, 0), rng.uniform(0.7, 2))) * cv2.GaussianBlur(skin, (0, 0), 2)
    return np.asarray(picture * 0.9 + gloss[..., None], np.float32)


def inked(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture with strokes of a pen over the hand.
    """
    ink = np.zeros(picture.shape[:2], np.float32)
    for x, y in places_on(rng, skin_of(picture), count=int(rng.integers(6, 14))):
        steps = np.cumsum(rng.normal(0, 1, (30, 2)), axis=0) * rng.uniform(5, 12)
        points = (cv2.GaussianBlur(steps.astype(np.float32), (1, 9), 2) + np.array([x, y])).astype(np.int32)
        cv2.polylines(
            ink, [points], isClosed=False, color=(1.0,), thickness=int(rng.integers(2, 5)), lineType=cv2.LINE_AA
        )
    ink = (ink * skin_of(picture) * np.float32(rng.uniform(0.6, 0.95)))[..., None]
    colour = np.array([(130, 40, 30), (40, 35, 35), (40, 40, 160)][int(rng.integers(3))], np.float32)
    return np.asarray(picture * (1 - ink) + colour * ink, np.float32)


def small(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture shrunk to a third somewhere in a frame of its size, so that the hand fills about a quarter.
    """
    height, width = picture.shape[:2]
    scale = rng.uniform(0.28, 0.4)
    x, y = rng.uniform(0, 1 - scale, 2) * (width, height)
    shrunk = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full_like(picture, float(np.median(picture)))
    frame[int(y) : int(y) + shrunk.shape[0], int(x) : int(x) + shrunk.shape[1]] = shrunk
    return frame


def turned(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture turned by any angle, shrunk so that the hand stays within it.
    """
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(0, 360), height / width)
    return warped(picture, np.vstack([turn, (0, 0, 1)]))


def mirrored(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture as a selfie camera shows it, turned by up to 20°.
    """
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-20, 20), 0.9)
    return warped(np.ascontiguousarray(picture[:, ::-1]), np.vstack([turn, (0, 0, 1)]))


def wild(rng: np.random.Generator, picture: Picture) -> Picture:
    """
    Return the picture tilted and bent, with two or three of the other troubles over it.
    """
    picture = bent(rng, tilted(rng, picture))
    others = (coloured, dim, blurred, shaded, compressed, wet, inked)
    for index in rng.permutation(len(others))[: int(rng.integers(2, 4))]:
        picture = np.clip(others[index](rng, picture), 0, 255).astype(np.float32)
    return picture


TROUBLES: Mapping[str, Trouble] = {
    trouble.__name__: trouble
    for trouble in (
        tilted,
        bent,
        coloured,
        dim,
        blurred,
        shaded,
        compressed,
        wet,
        inked,
        small,
        turned,
        mirrored,
        wild,
    )
}


def warped(picture: Picture, matrix: NDArray[np.float64]) -> Picture:
    """
    Return the picture under a projective map, continued at its edges.
    """
    size = (picture.shape[1], picture.shape[0])
    image = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image, np.float32)


def smooth(rng: np.random.Generator, picture: Picture, *, knots: int) -> NDArray[np.float32]:
    """
    Return smooth noise of unit strength in the size of the picture, (H, W).
    """
    coarse = rng.standard_normal((knots, knots), dtype=np.float32)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)


def across(rng: np.random.Generator, picture: Picture, *, spread: float) -> NDArray[np.float32]:
    """
    Return the distance in pixels from a line near the middle of the picture, (H, W); one side is below zero.
    """
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = (0.5 + rng.normal(0, spread, 2)) * (width, height)
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray((columns - x) * np.cos(angle) + (rows - y) * np.sin(angle), np.float32)


def slope(rng: np.random.Generator, picture: Picture) -> NDArray[np.float32]:
    """
    Return a share, 0..1, that grows from one side of the picture to the other, (H, W).
    """
    return np.asarray(1 / (1 + np.exp(-across(rng, picture, spread=0.1) / (0.12 * max(picture.shape)))), np.float32)


def skin_of(picture: Picture) -> NDArray[np.float32]:
    """
    Return 1 where the picture is bright, 0 where the cloth is, (H, W).
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(as_bytes(picture), cv2.COLOR_BGR2GRAY), (0, 0), 2)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return bright.astype(np.float32)


def places_on(rng: np.random.Generator, skin: NDArray[np.float32], *, count: int) -> list[tuple[int, int]]:
    """
    Return `count` places, x and y, on the hand.
    """
    rows, columns = np.nonzero(skin > 0)
    chosen = rng.integers(0, max(1, len(rows)), count)
    return [(int(columns[index]), int(rows[index])) for index in chosen if len(rows) > 0]


def as_bytes(picture: Picture) -> NDArray[np.uint8]:
    """
    Return the picture as uint8.
    """
    return np.clip(picture, 0, 255).astype(np.uint8)


def read_shrunk(path: Path) -> Picture:
    """
    Return the photograph at `path`, its longest side at most `SIDE_PX`.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{path} is no photograph")
    scale = min(1.0, SIDE_PX / max(pixels.shape[:2]))
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)


def make_harder(photographs: Path, destination: Path, *, seed: int) -> int:
    """
    Write the harder pictures of every photograph, and return how many there are.
    """
    paths = sorted(photographs.glob("*/*.jpg"))
    for path in paths:
        picture = read_shrunk(path)
        folder = destination / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, trouble in TROUBLES.items():
            rng = np.random.default_rng([seed, zlib.crc32(f"{path.parent.name}/{path.stem}/{name}".encode())])
            quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
            cv2.imwrite(str(folder / f"{path.stem}_{name}.jpg"), as_bytes(trouble(rng, picture)), quality)
    return len(paths) * len(TROUBLES)


def main() -> None:
    """
    Read the command line, write the pictures, and say how many.
    """
    options = argparse.ArgumentParser(description="Make harder pictures out of photographs of hands, to test with.")
    options.add_argument("photographs", type=Path)
    options.add_argument("destination", type=Path)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    repository = Path(__file__).resolve().parent.parent
    if chosen.destination.resolve().is_relative_to(repository):
        raise SystemExit("people's hands are written outside the repository only")
    cv2.setNumThreads(1)
    print(f"{make_harder(chosen.photographs, chosen.destination, seed=chosen.seed)} pictures in {chosen.destination}")


if __name__ == "__main__":
    main()
