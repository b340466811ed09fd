"""
What is known to be labelled wrongly does not count, and a line that names nothing is an error.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handsel.errors import BadInput
from handsel.evaluate.label_noise import no_noise, read_label_noise

PATHS = ("a/1.jpg", "a/2.jpg", "a1/1.jpg", "b/1, left.jpg")


def written(directory: Path, text: str) -> Path:
    """
    Write the file.
    """
    path = directory / "ignore"
    path.write_text(text)
    return path


def test_pictures_folders_and_pairs_are_read(tmp_path: Path) -> None:
    noise = read_label_noise(written(tmp_path, '# Found by eye.\n\na1\na/2.jpg, "b/1, left.jpg"\na,a1/1.jpg\n'), PATHS)

    assert noise.pictures.tolist() == [False, False, True, False]
    assert np.argwhere(np.triu(noise.pairs)).tolist() == [[0, 2], [1, 2], [1, 3]]
    assert np.array_equal(noise.pairs, noise.pairs.T)


def test_a_folder_stands_for_all_of_it_and_for_no_other(tmp_path: Path) -> None:
    assert read_label_noise(written(tmp_path, "a/\n"), PATHS).pictures.tolist() == [True, True, False, False]


@pytest.mark.parametrize("line", ["c/1.jpg", "a/1.jpg,c", "a/1.jpg,a/2.jpg,b", "a/1", "a/1.jpg,"])
def test_a_line_that_names_nothing_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match="line 2"):
        read_label_noise(written(tmp_path, f"a/1.jpg\n{line}\n"), PATHS)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_label_noise(tmp_path / "nowhere", PATHS)
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(BadInput):
        read_label_noise(tmp_path / "bytes", PATHS)


def test_without_a_file_everything_counts() -> None:
    noise = no_noise(3)

    assert not noise.pictures.any()
    assert noise.pairs.shape == (3, 3) and not noise.pairs.any()
