"""
Harder pictures are the same every time, and never written into the repository. No photograph is needed to see that.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from training.harder_photos import TROUBLES, main, make_harder

from handsel.drawn.person import DrawnPerson


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Return a folder with one picture of one drawn person.
    """
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "nobody").mkdir()
    cv2.imwrite(str(folder / "nobody" / "1.jpg"), DrawnPerson(1).frame(0, width=320, height=240)[..., ::-1])
    return folder


def test_every_trouble_gives_a_picture_of_its_own_the_same_every_time(photographs: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert make_harder(photographs, tmp_path / name, seed=3) == len(TROUBLES)
    files = sorted((tmp_path / "one" / "nobody").iterdir())

    assert [file.name for file in files] == sorted(f"1_{trouble}.jpg" for trouble in TROUBLES)
    assert all(file.read_bytes() == (tmp_path / "two" / "nobody" / file.name).read_bytes() for file in files)
    assert len({file.read_bytes() for file in files}) == len(TROUBLES)


def test_another_seed_makes_other_pictures(photographs: Path, tmp_path: Path) -> None:
    make_harder(photographs, tmp_path / "one", seed=3)
    make_harder(photographs, tmp_path / "two", seed=4)

    tilted = [(tmp_path / name / "nobody" / "1_tilted.jpg").read_bytes() for name in ("one", "two")]
    assert tilted[0] != tilted[1]


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_a_picture_in_trouble_keeps_its_kind_and_is_not_the_same(trouble: str) -> None:
    picture = DrawnPerson(2).frame(0, width=320, height=240).astype(np.float32)

    found = TROUBLES[trouble](np.random.default_rng(5), picture)

    assert found.dtype == np.float32
    assert found.shape[2] == 3
    assert found.shape != picture.shape or np.abs(found - picture).mean() > 0.5


def test_hands_are_not_written_into_the_repository(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Path(__file__).parents[2] / "harder"
    monkeypatch.setattr("sys.argv", ["harder_photos", str(photographs), str(inside)])

    with pytest.raises(SystemExit, match="outside the repository"):
        main()
    assert not inside.exists()
