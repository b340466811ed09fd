"""
A drawn world is what `handsel evaluate` reads: a folder of each hand, and what is known of the people.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from training.draw_world import FIRST_SEEDS, draw_world, parse
from training.fit_places import FIT_FIRST_SEED, FIT_PEOPLE, IMPOSTOR_FIRST_SEED, IMPOSTOR_PEOPLE

from handsel.drawn.person import DrawnPerson
from handsel.drawn.who import Style, WhichHand
from handsel.evaluate.people import read_subjects


def test_a_world_holds_every_picture_and_who_it_is_of(tmp_path: Path) -> None:
    out = tmp_path / "world"
    words = ["--people", "2", "--shots", "2", "--hands", "2", "--kind", "roi", "--style", "other"]
    world = parse([*words, "--out", str(out)])

    assert draw_world(world) == 8

    folders = sorted(path.name for path in out.iterdir() if path.is_dir())
    first = FIRST_SEEDS[Style.OTHER]
    assert folders == [f"{seed}-{side}" for seed in (first, first + 1) for side in ("left", "right")]
    subjects = read_subjects(out, folders)
    for hand in WhichHand:
        person = DrawnPerson(first, Style.OTHER, hand)
        name = f"{first}-{'right' if person.is_right_handed else 'left'}"
        subject = subjects[name]
        known = subject.payer, subject.tone, subject.age
        assert known == (str(first), round(person.skin.tone, 3), round(person.age, 1))
        assert np.array_equal(cv2.imread(str(out / name / "2.png"), cv2.IMREAD_GRAYSCALE), person.square(1))
    assert len({subject.palm for subject in subjects.values()}) == 4


def test_whole_hands_are_drawn_in_a_tills_size(tmp_path: Path) -> None:
    out = tmp_path / "world"

    draw_world(parse(["--people", "1", "--shots", "1", "--first-seed", "7", "--out", str(out)]))

    (picture,) = out.rglob("*.jpg")
    drawn = DrawnPerson(7).frame(0, width=640, height=480)
    seen = cv2.imread(str(picture))[..., ::-1]
    assert seen.shape == drawn.shape
    assert np.abs(seen.astype(float) - drawn).mean() < 4


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--people", "1", "--out", str(tmp_path)], ["--people", "0", "--out", str(tmp_path / "world")]):
        with pytest.raises(SystemExit):
            parse(words)
    assert "exists already" in capsys.readouterr().err


def test_worlds_are_far_from_what_is_fitted_on() -> None:
    fitted = max(FIT_FIRST_SEED + FIT_PEOPLE, IMPOSTOR_FIRST_SEED + IMPOSTOR_PEOPLE)
    assert min(FIRST_SEEDS.values()) > 2 * fitted
