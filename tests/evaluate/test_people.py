"""
Who a folder belongs to is read from `people.csv`, and whatever does not fit is refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.errors import BadInput
from handsel.evaluate.people import PEOPLE, folder_of, read_subjects
from handsel.evaluate.presentation import Subject


def folders(directory: Path, *names: str) -> list[str]:
    """
    Make folders and return their names.
    """
    for name in names:
        (directory / name).mkdir()
    return list(names)


def test_without_a_file_every_folder_is_one_person(tmp_path: Path) -> None:
    assert read_subjects(tmp_path, folders(tmp_path, "b", "a")) == {"a": Subject("a", "a"), "b": Subject("b", "b")}


def test_a_payer_has_two_hands_and_a_hand_may_have_two_folders(tmp_path: Path) -> None:
    names = folders(tmp_path, "1l", "1r", "1l-later", "2", "3")
    (tmp_path / PEOPLE).write_text(
        "person,payer,hand,tone,age\n1l,one,left,0.2,31\n1r,one,right,0.2,31\n1l-later,one,left,0.2,32\n2,,,,\n3,two,,1,0\n"
    )

    found = read_subjects(tmp_path, names)

    assert found["1l"].palm == found["1l-later"].palm != found["1r"].palm
    assert {found[name].payer for name in ("1l", "1r", "1l-later")} == {"one"}
    assert (found["1l-later"].tone, found["1l-later"].age) == (0.2, 32.0)
    assert (found["2"].payer, found["2"].tone, found["2"].age) == ("2", None, None)
    assert (found["3"].tone, found["3"].age) == (1.0, 0.0)


def test_two_folders_of_one_payer_without_a_hand_are_two_palms(tmp_path: Path) -> None:
    names = folders(tmp_path, "x", "y")
    (tmp_path / PEOPLE).write_text("person,payer\nx,one\ny,one\n")

    found = read_subjects(tmp_path, names)

    assert found["x"].payer == found["y"].payer
    assert found["x"].palm != found["y"].palm


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("payer\na\n", id="no column person"),
        pytest.param("person,name\na,Ann\nb,Ben\n", id="an unknown column"),
        pytest.param("person,person\na,a\nb,b\n", id="a column twice"),
        pytest.param("person\na\n", id="a folder without a line"),
        pytest.param("person\na\nb\nc\n", id="a line without a folder"),
        pytest.param("person\na\na\nb\n", id="a person twice"),
        pytest.param("person,hand\na,left\nb,both\n", id="an unknown hand"),
        pytest.param("person,tone\na,0.5\nb,1.5\n", id="a tone out of range"),
        pytest.param("person,tone\na,0.5\nb,nan\n", id="a tone that is no number"),
        pytest.param("person,age\na,30\nb,old\n", id="an age that is no number"),
        pytest.param("person,age\na,30\nb\n", id="a short line"),
        pytest.param("person,age\na,30\nb,30,1\n", id="a long line"),
        pytest.param("person\na\n\xff\n", id="not UTF-8"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str) -> None:
    names = folders(tmp_path, "a", "b")
    (tmp_path / PEOPLE).write_bytes(text.encode("latin-1"))

    with pytest.raises(BadInput):
        read_subjects(tmp_path, names)


def test_a_picture_lies_in_a_persons_folder() -> None:
    assert folder_of("a/1.jpg") == folder_of("a/monday/1.jpg") == "a"
    with pytest.raises(BadInput):
        folder_of("1.jpg")
