"""
Turn a folder of pictures into a file of vectors, to measure recognition from outside: `handsel embed`.

What it writes are people's biometric data wherever the pictures were of people: readable by the owner alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.errors import BadInput, NotFound
from handsel.vision.embedding import EmbeddingModel
from handsel.vision.eyes import open_model, open_reader
from handsel.vision.frame import FRAME_BYTES_MAX, Frame, decode_file
from handsel.vision.quality import SHARPNESS_FULL, Reason, sharpness
from handsel.vision.read_palm import PalmReading, Rejected
from handsel.vision.roi import square_to_roi

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})
IMAGES_MAX = 200_000  # 3 GB of vectors.
OK = "ok"
FILE_UNREADABLE = "file_unreadable"
PROGRESS_S = 2.0

Embed = Callable[[Frame], PalmReading | Rejected]


@dataclass(frozen=True)
class Outcome:
    """
    Hold what one image gave: a reading or None, why, and how long it took.
    """

    reading: PalmReading | None
    status: str
    ms: float


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb `embed`.
    """
    text = "write the vectors of all palms in a folder of pictures, to measure recognition"
    parser = subparsers.add_parser("embed", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="folder of JPEG, PNG, BMP or TIFF files, at any depth"
    )
    parser.add_argument(
        "--kind", choices=("hand", "roi"), required=True, help="whole hands, or palm squares that are cropped already"
    )
    parser.add_argument("--out", metavar="FILE.npz", type=Path, required=True, help="file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Embed every image below `args.directory` and write `args.out`. Return 0, also where some images gave no vector.
    """
    paths = find_images(args.directory)
    check_writable(args.out)
    cv2.setNumThreads(1)  # So that `ms` is one thread's.
    model, embed = open_embedder(args.kind)
    outcomes = embed_all(paths, embed, root=args.directory)
    save(args.out, paths=[path.relative_to(args.directory) for path in paths], outcomes=outcomes, model=model)
    read = sum(outcome.status == OK for outcome in outcomes)
    print(f"{args.out}: {read} of {len(outcomes)} images gave a vector ({model.model_id})", file=sys.stderr)
    return 0


def find_images(directory: Path) -> list[Path]:
    """
    Return every image file below `directory`, sorted by its path. Raises `NotFound`, `BadInput`.
    """
    if not directory.is_dir():
        raise NotFound(f"{directory} is not a folder that can be read")
    found = (path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    paths = sorted(found, key=lambda path: path.relative_to(directory).as_posix())
    if not paths:
        raise NotFound(f"there is no image ({', '.join(sorted(SUFFIXES))}) below {directory}")
    if len(paths) > IMAGES_MAX:
        raise BadInput(f"there are more than {IMAGES_MAX} images below {directory}")
    return paths


def check_writable(out: Path) -> None:
    """
    Find out now, not after an hour of work, whether `out` can be written. Raises `BadInput`.
    """
    if out.is_dir():
        raise BadInput(f"{out} is a folder; name a file")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise BadInput(f"{out} cannot be written: {out.parent} is not a folder that can be written to")


def open_embedder(kind: str) -> tuple[EmbeddingModel, Embed]:
    """
    Return the model in use, and what turns a picture of a whole hand or a ready square into a reading.
    """
    if kind == "hand":
        reader = open_reader()
        return reader.model, reader.read
    model = open_model()
    return model, roi_embedder(model)


def roi_embedder(model: EmbeddingModel) -> Embed:
    """
    Return what turns a square that is cropped already into a reading, as good as it is sharp. Only a blank one is
    refused.
    """

    def embed(frame: Frame) -> PalmReading | Rejected:
        roi = square_to_roi(frame)
        if np.ptp(roi.grey()) == 0:
            return Rejected(Reason.NO_HAND)
        return PalmReading(probe=model.embed(roi), quality=min(1.0, sharpness(roi) / SHARPNESS_FULL))

    return embed


def embed_all(paths: list[Path], embed: Embed, *, root: Path) -> list[Outcome]:
    """
    Return the outcome of every image, saying on standard error how far it is.
    """
    outcomes = []
    said_at = time.monotonic()
    for count, path in enumerate(paths, start=1):
        outcomes.append(embed_one(path, embed))
        if time.monotonic() - said_at >= PROGRESS_S or count == len(paths):
            said_at = time.monotonic()
            print(f"embed: {count} of {len(paths)} images below {root}", file=sys.stderr, flush=True)
    return outcomes


def embed_one(path: Path, embed: Embed) -> Outcome:
    """
    Return the outcome of one image; a file that cannot be read is an outcome too.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FRAME_BYTES_MAX + 1)
    except OSError:
        return Outcome(reading=None, status=FILE_UNREADABLE, ms=0.0)
    started_ns = time.perf_counter_ns()
    try:
        result = embed(decode_file(content))
    except BadInput as exc:
        return Outcome(reading=None, status=exc.code, ms=elapsed_ms(started_ns))
    if isinstance(result, Rejected):
        return Outcome(reading=None, status=result.reason.value, ms=elapsed_ms(started_ns))
    return Outcome(reading=result, status=OK, ms=elapsed_ms(started_ns))


def elapsed_ms(started_ns: int) -> float:
    """
    Return the milliseconds since `started_ns` of the performance counter.
    """
    return (time.perf_counter_ns() - started_ns) / 1e6


def save(out: Path, *, paths: list[Path], outcomes: list[Outcome], model: EmbeddingModel) -> None:
    """
    Write the arrays to `out` in one step, readable by the owner alone. Raises `BadInput`.

    `paths` and `status` are text, `embeddings` float32 (N, D), `probes` float32 (N, V, D), both NaN where there is no
    vector, `ms` float32 (N,) is the time for decoding and embedding, `model_id` and `threshold`, that
    of a gallery of the default size, describe the model.
    """
    probes: NDArray[np.float32] = np.full((len(paths), model.views, model.dims), np.nan, np.float32)
    for row, outcome in enumerate(outcomes):
        if outcome.reading is not None:
            probes[row] = outcome.reading.probe.views
    arrays = {
        "paths": np.array([path.as_posix() for path in paths]),
        "embeddings": np.ascontiguousarray(probes[:, 0]),  # (N, D)
        "probes": probes,  # (N, V, D)
        "status": np.array([outcome.status for outcome in outcomes]),
        "ms": np.array([outcome.ms for outcome in outcomes], np.float32),
        "model_id": np.array(model.model_id),
        "threshold": np.array(model.threshold, np.float32),
    }
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            whole = Path(folder, "whole.npz")
            whole.touch(mode=0o600)
            np.savez(whole, allow_pickle=False, **arrays)
            whole.replace(out)
    except OSError as exc:
        raise BadInput(f"{out} cannot be written: {exc.strerror}") from exc
