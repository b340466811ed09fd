"""
`handsel draw` writes what was asked for, and says what is wrong with what cannot be drawn.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from handsel.cli.main import main
from handsel.drawn.person import DrawnPerson

BAD_INPUT = 65


def test_a_hand_is_written_as_the_picture_that_the_person_shows(tmp_path: Path) -> None:
    out = tmp_path / "hand.png"

    status = main(
        ["draw", "hand", "--person", "4", "--shot", "2", "--width", "320", "--height", "240", "--out", str(out)]
    )

    assert status == 0
    written = cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB)
    assert (written == DrawnPerson(4).frame(2, width=320, height=240)).all()


def test_a_square_is_written_in_grey(tmp_path: Path) -> None:
    out = tmp_path / "square.png"

    assert main(["draw", "square", "--person", "4", "--out", str(out)]) == 0
    assert (cv2.imread(str(out), cv2.IMREAD_UNCHANGED) == DrawnPerson(4).square(0)).all()


def test_a_film_is_written(tmp_path: Path) -> None:
    out = tmp_path / "visit"

    assert main(["draw", "camera", "--person", "4", "--width", "64", "--height", "64", "--out", str(out)]) == 0
    assert out.read_bytes()[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["hand", "--person", "-1", "--out", "hand.png"], id="a negative person"),
        pytest.param(["hand", "--person", "1", "--shot", "-1", "--out", "hand.png"], id="a negative shot"),
        pytest.param(["hand", "--person", "1", "--width", "63", "--out", "hand.png"], id="too small"),
        pytest.param(["hand", "--person", "1", "--height", "4097", "--out", "hand.png"], id="too large"),
        pytest.param(["square", "--person", "1", "--out", "square.bmp"], id="another format"),
        pytest.param(["square", "--person", "1", "--out", "nowhere/square.png"], id="no such folder"),
        pytest.param(
            ["camera", "--person", "1", "--width", "65", "--height", "64", "--out", "visit"], id="an odd side"
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["draw", *words]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("handsel: ")
