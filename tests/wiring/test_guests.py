"""
The people of a story, from a folder of photographs or from a program.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.errors import BadInput
from handsel.till.session import ENROLMENT_FRAMES
from handsel.wiring.guests import PHOTO_REPEATS, drawn_guests, photographed_guests


def lay_out(directory: Path, **photos: int) -> Path:
    """
    Lay photographs out as `<person>/<n>.jpg`; each holds its own path.
    """
    for person, count in photos.items():
        (directory / person).mkdir()
        for number in range(1, count + 1):
            (directory / person / f"{number}.jpg").write_text(f"{person}/{number}")
    return directory


def test_three_enrol_and_each_other_is_a_visit(tmp_path: Path) -> None:
    """
    The first three photographs are shown in turn, each other one again and again: as often as the till may want one.
    """
    people, _ = photographed_guests(lay_out(tmp_path, ada=5), people=1, strangers=None)

    shown = [picture() for picture in people[0].enrolment]
    assert len(shown) == 2 * ENROLMENT_FRAMES
    assert shown[:4] == [b"ada/1", b"ada/2", b"ada/3", b"ada/1"]
    assert [[picture() for picture in visit] for visit in people[0].visits] == [
        [b"ada/4"] * PHOTO_REPEATS,
        [b"ada/5"] * PHOTO_REPEATS,
    ]


def test_two_thirds_enrol_and_the_rest_are_strangers_who_try_with_all(tmp_path: Path) -> None:
    """
    Nobody is both; strangers have no photographs to enrol with.
    """
    people, strangers = photographed_guests(lay_out(tmp_path, a=4, b=4, c=4), people=None, strangers=None)

    assert [guest.name for guest in people] == ["a", "b"]
    assert [(guest.name, guest.enrolment, len(guest.visits)) for guest in strangers] == [("c", (), 4)]


def test_photographs_are_ordered_by_number(tmp_path: Path) -> None:
    """
    2.jpg comes before 10.jpg.
    """
    people, _ = photographed_guests(lay_out(tmp_path, a=11), people=1, strangers=0)

    assert [visit[0]() for visit in people[0].visits] == [f"a/{n}".encode() for n in range(4, 12)]


def test_other_files_and_empty_folders_are_passed_over(tmp_path: Path) -> None:
    """
    A note beside the photographs is no photograph, and an empty folder nobody.
    """
    lay_out(tmp_path, a=4)
    (tmp_path / "a" / "notes.txt").write_text("")
    (tmp_path / "nobody").mkdir()
    (tmp_path / "README").write_text("")

    people, strangers = photographed_guests(tmp_path, people=None, strangers=None)

    assert [(guest.name, len(guest.visits)) for guest in people] == [("a", 1)]
    assert strangers == ()


@pytest.mark.parametrize(
    ("photos", "people", "words"),
    [({}, None, "<person>/<n>.jpg"), ({"a": 4}, 2, "1 people"), ({"a": 3}, 1, "one more to pay with")],
    ids=["no photographs", "too few people", "none to pay with"],
)
def test_what_cannot_be_walked_is_refused(
    tmp_path: Path, photos: dict[str, int], people: int | None, words: str
) -> None:
    """
    The message says what to do.
    """
    with pytest.raises(BadInput, match=words):
        photographed_guests(lay_out(tmp_path, **photos), people=people, strangers=None)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """
    The path is in the message.
    """
    with pytest.raises(BadInput, match="nowhere is not a folder"):
        photographed_guests(tmp_path / "nowhere", people=None, strangers=None)


def test_drawn_people_and_strangers_are_different_people() -> None:
    """
    No stranger has the hand of somebody who is enrolled.
    """
    people, strangers = drawn_guests(2, 2)
    pictures = [guest.visits[0][0]() for guest in (*people, *strangers)]

    assert len(set(pictures)) == 4
    assert [guest.enrolment for guest in strangers] != [(), ()]
