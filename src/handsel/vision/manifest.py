"""
Read a model's file, and only if it is the one that the manifest beside it names.

Knows names, shapes and sums; not what the numbers mean.
"""

from __future__ import annotations

import hashlib
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from handsel.curve import ImpostorCurve
from handsel.errors import ModelInvalid

MANIFEST = "manifest.toml"
MODEL_BYTES_MAX = 64 * 2**20
ID_DIGITS = 8  # Of the file's SHA-256, in the model's id: another file is another model.


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Describe one model: its file, what is in it, its curve of impostors, and in words how both came about.
    """

    file: str
    sha256: str
    arrays: dict[str, tuple[int, ...]]
    recipe: str
    curve: ImpostorCurve


class NetEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Describe one net: its file, and in words how it came about.
    """

    file: str
    sha256: str
    recipe: str


EntryT = TypeVar("EntryT", Entry, NetEntry)


@dataclass(frozen=True, eq=False)
class LoadedNet:
    """
    Hold the checked bytes of a net's file.
    """

    net_id: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """
    Hold the checked contents of a model's file: float32 arrays by name.
    """

    model_id: str
    curve: ImpostorCurve
    arrays: Mapping[str, NDArray[np.float32]] = field(repr=False)


def load_model(directory: Path, name: str, *, shapes: Mapping[str, tuple[int, ...]]) -> LoadedModel:
    """
    Return the model `name` of `directory`.

    1. The manifest is read; it names the file, its SHA-256 and the arrays in it.
    2. The file is read once; what is parsed are the bytes that were summed.
    3. The arrays are the ones the caller asked for, in shape and kind, and finite.

    Raises `ModelInvalid`.
    """
    entry = _read_entry(directory, name, Entry)  # 1
    content = _read_named(directory, entry)  # 2
    if entry.arrays != dict(shapes):
        raise ModelInvalid(f"{MANIFEST} describes other arrays than this version of Handsel reads")
    arrays = _read_arrays(content, entry)  # 3
    return LoadedModel(model_id=f"{name}-{entry.sha256[:ID_DIGITS]}", curve=entry.curve, arrays=arrays)


def read_net(directory: Path, name: str) -> LoadedNet:
    """
    Return the net `name` of `directory`, if its file is the one that the manifest names. Raises `ModelInvalid`.
    """
    entry = _read_entry(directory, name, NetEntry)
    return LoadedNet(net_id=f"{name}-{entry.sha256[:ID_DIGITS]}", content=_read_named(directory, entry))


def _read_entry(directory: Path, name: str, kind: type[EntryT]) -> EntryT:
    try:
        document = tomllib.loads(_read_bytes(directory / MANIFEST).decode())
        entry = msgspec.convert(document[name], kind)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, msgspec.ValidationError) as exc:
        raise ModelInvalid(f"{MANIFEST} has no sound entry for {name}") from exc
    if Path(entry.file).name != entry.file:
        raise ModelInvalid(f"the file that {MANIFEST} names lies beside it")
    return entry


def _read_named(directory: Path, entry: Entry | NetEntry) -> bytes:
    content = _read_bytes(directory / entry.file)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelInvalid(f"{entry.file} is not the file that {MANIFEST} names; restore it, or make it again")
    return content


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MODEL_BYTES_MAX:
            raise ModelInvalid(f"{path.name} has more than {MODEL_BYTES_MAX} bytes")
        return path.read_bytes()
    except OSError as exc:
        raise ModelInvalid(f"{path.name} cannot be read") from exc


def _read_arrays(content: bytes, entry: Entry) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in entry.arrays}
    except Exception as exc:  # zipfile, zlib and numpy each raise their own; all mean that the file is no model.
        raise ModelInvalid(f"{entry.file} does not hold the arrays that {MANIFEST} names") from exc
    for name, shape in entry.arrays.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ModelInvalid(f"{name} in {entry.file} is not finite float32 {shape}")
        array.setflags(write=False)
    return arrays
