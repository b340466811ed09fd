"""
Read which pictures, and which pairs of them, are known to be labelled wrongly and do not count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handsel.errors import BadInput
from handsel.evaluate.read_text import read_text


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """
    Hold what does not count: `pictures` bool (N,), `pairs` bool (N, N), symmetric.
    """

    pictures: NDArray[np.bool_]
    pairs: NDArray[np.bool_]


def no_noise(count: int) -> LabelNoise:
    """
    Return that all of `count` pictures and their pairs count.
    """
    return LabelNoise(np.zeros(count, np.bool_), np.zeros((count, count), np.bool_))


def read_label_noise(path: Path, paths: Sequence[str]) -> LabelNoise:
    """
    Return what the file at `path` says of the pictures `paths`.

    A line names one picture or folder, which does not count at all, or two with a comma between them, whose pairs do
    not count. Empty lines and lines that begin with # say nothing. Raises `BadInput` where a line names nothing that
    exists.
    """
    noise = no_noise(len(paths))
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        names = [name.strip() for name in next(csv.reader(io.StringIO(line), skipinitialspace=True))]
        if not 1 <= len(names) <= 2:
            raise BadInput(f"{path.name}, line {number}: it names one picture, or two with a comma between them")
        found = [_named(name, paths, where=f"{path.name}, line {number}") for name in names]
        if len(found) == 1:
            noise.pictures[found[0]] = True
        else:
            noise.pairs[np.ix_(found[0], found[1])] = True
            noise.pairs[np.ix_(found[1], found[0])] = True
    return noise


def _named(name: str, paths: Sequence[str], *, where: str) -> list[int]:
    folder = name.rstrip("/") + "/"
    found = [row for row, path in enumerate(paths) if path == name or path.startswith(folder)]
    if not name or not found:
        raise BadInput(f"{where}: there is no picture or folder {name!r}")
    return found
