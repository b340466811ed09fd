"""
`handsel evaluate` writes figures and a plot for their owner alone, and refuses early and clearly.
"""

from __future__ import annotations

import stat
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from handsel.cli.main import main
from handsel.drawn.person import DrawnPerson
from handsel.evaluate.figures import NOTES, decode
from handsel.evaluate.people import COLUMNS
from tests.reference import REFERENCE
from tests.test_docs import first_cells, section

NOT_FOUND, BAD_INPUT = 66, 65
SHOTS = 4


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Return a folder of the squares of four drawn people, two of them the hands of one payer, and one blank square.
    """
    directory = tmp_path_factory.mktemp("squares")
    for seed in range(301, 305):
        (directory / str(seed)).mkdir()
        for shot in range(SHOTS):
            assert cv2.imwrite(str(directory / f"{seed}/{shot}.png"), DrawnPerson(seed).square(shot))
    assert cv2.imwrite(str(directory / "304/blank.png"), np.full((128, 128), 90, np.uint8))
    lines = ["301,one,left,0.1,30", "302,one,right,0.1,30", "303,,,0.5,40", "304,,,0.9,70"]
    (directory / "people.csv").write_text("\n".join(["person,payer,hand,tone,age", *lines]))
    return directory


def test_figures_and_plot_are_written_and_said(
    squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ignore = tmp_path / "ignore.txt"
    ignore.write_text("303/0.png\n303/1.png, 303/2.png\n")
    out = tmp_path / "out.json"

    status = main(["evaluate", str(squares), "--kind", "roi", "--ignore", str(ignore), "--json", str(out)])

    said = capsys.readouterr().out
    figures = decode(out.read_bytes())
    assert status == 0
    assert "16 pictures (roi) of 4 palms of 3 people" in said and NOTES[0] in said
    assert (figures.pictures.ignored_pictures, figures.pictures.ignored_pairs) == (1, 1)
    assert figures.acquisition.reasons == {"no_hand": 1}
    one, _ = figures.verification
    # Of four squares six pairs, of three less one pair two; the two hands of one payer are not compared.
    assert one.genuine_pairs == 3 * 6 + 2
    assert one.impostor_pairs == 4 * 3 + 4 * 4 + 4 * 3 + 4 * 4 + 3 * 4
    assert {(group.by, group.name) for group in figures.breakdown} >= {("tone", "light"), ("age", "65 and above")}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (out, tmp_path / "out.svg")] == [0o600, 0o600]
    assert ElementTree.parse(tmp_path / "out.svg").getroot().tag.endswith("svg")  # noqa: S314
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ignore.txt", "out.json", "out.svg"]
    assert out.stat().st_size < 40_000


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["{dir}/nowhere", "--json", "{out}/x.json"], NOT_FOUND, "not a folder"),
        (["{dir}", "--json", "{out}/nowhere/x.json"], BAD_INPUT, "cannot be written"),
        (["{dir}", "--json", "{out}/x.svg"], BAD_INPUT, "another kind"),
        (["{dir}", "--json", "{out}/x.json", "--ignore", "{dir}/people.csv"], BAD_INPUT, "line 1"),
        (["{dir}/301", "--json", "{out}/x.json"], BAD_INPUT, "no person's folder"),
    ],
)
def test_what_cannot_be_done_is_refused_before_a_picture_is_read(
    squares: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    filled = [argument.format(dir=squares, out=tmp_path) for argument in arguments]

    assert main(["evaluate", *filled, "--kind", "roi"]) == status

    said = capsys.readouterr()
    assert words in said.err and "images below" not in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_every_column_of_the_people_is_documented() -> None:
    assert set(first_cells(section(REFERENCE.read_text(), "What evaluate reads"))) == COLUMNS
