"""
A model is the one that its manifest names, or it is not loaded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.errors import ModelInvalid
from handsel.vision.manifest import MANIFEST, load_model

SHAPES = {"mean": (3,), "matrix": (3, 3)}


def write_model(
    directory: Path,
    *,
    sha256: str | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
) -> Path:
    """
    Write a small model, right but for what is given.
    """
    sound: dict[str, NDArray[Any]] = {"mean": np.ones(3, np.float32), "matrix": np.eye(3, dtype=np.float32)}
    contents: dict[str, Any] = sound | dict(arrays or {})
    content = io.BytesIO()
    np.savez(content, **contents)
    (directory / "small.npz").write_bytes(content.getvalue())
    lines = (
        "[small]",
        'file = "small.npz"',
        f'sha256 = "{sha256 or hashlib.sha256(content.getvalue()).hexdigest()}"',
        "arrays = { mean = [3], matrix = [3, 3] }",
        'recipe = "by hand"',
        "[small.curve]",
        "trials = 1000",
        "margin = 0.1",
        "points = [[0.01, 0.2], [0.001, 0.3]]",
        *(f'{name} = "by hand"' for name in ("source", "margin_source", "reach_source")),
    )
    (directory / MANIFEST).write_text("\n".join(lines))
    return directory


def rewrite(directory: Path, old: str, new: str) -> Path:
    """
    Change the manifest.
    """
    text = (directory / MANIFEST).read_text()
    assert old in text
    (directory / MANIFEST).write_text(text.replace(old, new))
    return directory


def test_a_sound_model_is_loaded_and_named_after_its_contents(tmp_path: Path) -> None:
    model = load_model(write_model(tmp_path), "small", shapes=SHAPES)

    digest = hashlib.sha256((tmp_path / "small.npz").read_bytes()).hexdigest()
    assert model.model_id == f"small-{digest[:8]}"
    assert (model.curve.trials, model.curve.points[1]) == (1000, (0.001, 0.3))
    assert model.arrays["matrix"].tolist() == np.eye(3).tolist()
    assert not model.arrays["matrix"].flags.writeable


def test_a_file_with_one_changed_bit_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path) / "small.npz"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)

    with pytest.raises(ModelInvalid, match=r"not the file that manifest\.toml names"):
        load_model(tmp_path, "small", shapes=SHAPES)


@pytest.mark.parametrize(
    "arrays",
    [
        {"mean": np.ones(4, np.float32)},
        {"mean": np.ones(3, np.float64)},
        {"mean": np.array([1, np.nan, 1], np.float32)},
        {"mean": np.array([None, 1, 2], dtype=object)},
    ],
    ids=["shape", "kind", "nan", "pickle"],
)
def test_arrays_of_another_shape_or_kind_are_refused(tmp_path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ModelInvalid):
        load_model(write_model(tmp_path, arrays=arrays), "small", shapes=SHAPES)


def test_a_missing_file_manifest_or_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        load_model(tmp_path, "small", shapes=SHAPES)
    write_model(tmp_path)
    with pytest.raises(ModelInvalid):
        load_model(tmp_path, "large", shapes=SHAPES)
    (tmp_path / "small.npz").unlink()
    with pytest.raises(ModelInvalid):
        load_model(tmp_path, "small", shapes=SHAPES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('file = "small.npz"', 'file = "../small.npz"'),
        ("[small]", "[small"),
        ("mean = [3]", "mean = [4]"),
        ("margin = 0.1", "margin = -0.1"),
        ("margin = 0.1", "margin = nan"),
        ("margin = 0.1", ""),
        ("[0.001, 0.3]", "[0.02, 0.3]"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path: Path, old: str, new: str) -> None:
    rewrite(write_model(tmp_path), old, new)

    with pytest.raises(ModelInvalid):
        load_model(tmp_path, "small", shapes=SHAPES)


def test_a_file_that_is_no_archive_is_refused_even_with_its_right_sum(tmp_path: Path) -> None:
    write_model(tmp_path, sha256=hashlib.sha256(b"no archive").hexdigest())
    (tmp_path / "small.npz").write_bytes(b"no archive")

    with pytest.raises(ModelInvalid):
        load_model(tmp_path, "small", shapes=SHAPES)
