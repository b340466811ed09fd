"""
`handsel embed` writes a row for every image, says what became of each, and fails early and clearly.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.cli.embed import SUFFIXES, find_images
from handsel.cli.main import main
from handsel.drawn.person import DrawnPerson
from handsel.errors import BadInput, NotFound
from handsel.vision.eyes import open_model
from handsel.vision.frame import Frame
from handsel.vision.roi import square_to_roi
from tests.reference import REFERENCE
from tests.test_docs import first_cells, section

NOT_FOUND, BAD_INPUT = 66, 65


def write(path: Path, pixels: NDArray[Any]) -> None:
    """
    Write an RGB or grey picture.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


def test_hands_at_any_depth_get_a_row_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = DrawnPerson(9).frame(0)
    write(tmp_path / "in/b/1.png", frame)
    write(tmp_path / "in/a/2.JPG", np.full_like(frame, 128))
    write(tmp_path / "in/a/1.jpg", frame[::2, ::2])
    (tmp_path / "in/c.jpg").write_bytes((tmp_path / "in/a/1.jpg").read_bytes()[:5000])
    (tmp_path / "in/notes.txt").write_text("no image")
    out = tmp_path / "vectors.npz"

    status = main(["embed", str(tmp_path / "in"), "--kind", "hand", "--out", str(out)])

    assert status == 0
    assert "4 of 4 images" in capsys.readouterr().err
    with np.load(out, allow_pickle=False) as stored:
        assert sorted(stored.files) == sorted(first_cells(section(REFERENCE.read_text(), "What embed writes")))
        assert stored["paths"].tolist() == ["a/1.jpg", "a/2.JPG", "b/1.png", "c.jpg"]
        assert stored["status"].tolist() == ["ok", "no_hand", "ok", "frame_unreadable"]
        assert (stored["embeddings"].shape, stored["embeddings"].dtype) == ((4, 432), np.float32)
        assert (stored["probes"].shape, stored["probes"].dtype) == ((4, 9, 432), np.float32)
        assert np.isnan(stored["embeddings"]).all(axis=1).tolist() == [False, True, False, True]
        assert np.array_equal(stored["embeddings"], stored["probes"][:, 0], equal_nan=True)
        assert stored["ms"].shape == (4,)
        assert (stored["ms"] > 0).all()
        assert float(np.max(stored["probes"][0] @ stored["embeddings"][2])) > 0.6
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "vectors.npz"]


def test_ready_squares_are_embedded_as_they_are(tmp_path: Path) -> None:
    square = DrawnPerson(9).square(0)
    write(tmp_path / "in/1.bmp", square)
    write(tmp_path / "in/2.png", cv2.resize(square, (300, 300), interpolation=cv2.INTER_CUBIC))
    write(tmp_path / "in/3.png", np.full((128, 128), 90, np.uint8))
    write(tmp_path / "in/4.png", np.full((8, 8), 90, np.uint8))

    status = main(["embed", str(tmp_path / "in"), "--kind", "roi", "--out", str(tmp_path / "out.npz")])

    expected = open_model().embed(square_to_roi(Frame(pixels=np.repeat(square[..., None], 3, axis=-1))))
    assert status == 0
    with np.load(tmp_path / "out.npz", allow_pickle=False) as stored:
        assert stored["status"].tolist() == ["ok", "ok", "no_hand", "frame_unreadable"]
        assert np.allclose(stored["probes"][0], expected.views, atol=1e-5)
        assert float(stored["embeddings"][0] @ stored["embeddings"][1]) > 0.9


def test_a_second_run_replaces_the_file(tmp_path: Path) -> None:
    write(tmp_path / "in/1.png", DrawnPerson(9).square(0))
    (tmp_path / "out.npz").write_bytes(b"old")

    assert main(["embed", str(tmp_path / "in"), "--kind", "roi", "--out", str(tmp_path / "out.npz")]) == 0

    with np.load(tmp_path / "out.npz", allow_pickle=False) as stored:
        assert stored["paths"].tolist() == ["1.png"]


def test_a_missing_folder_no_image_and_an_unwritable_file_are_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "in/1.png", np.full((64, 64), 90, np.uint8))
    cases = (
        (tmp_path / "nowhere", tmp_path / "out.npz", NOT_FOUND, "not a folder"),
        (tmp_path / "empty", tmp_path / "out.npz", NOT_FOUND, "no image"),
        (tmp_path / "in", tmp_path, BAD_INPUT, "is a folder"),
        (tmp_path / "in", tmp_path / "nowhere/out.npz", BAD_INPUT, "cannot be written"),
    )
    for directory, out, status, text in cases:
        assert main(["embed", str(directory), "--kind", "roi", "--out", str(out)]) == status
        assert text in capsys.readouterr().err


def test_images_are_found_by_suffix_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [f"{index}{suffix}" for index, suffix in enumerate(sorted(SUFFIXES))]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "x.gif").touch()
    (tmp_path / "folder.png").mkdir()

    assert [path.name for path in find_images(tmp_path)] == names
    with pytest.raises(NotFound):
        find_images(tmp_path / "folder.png")
    assert issubclass(NotFound, BadInput)
