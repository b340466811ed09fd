"""
Gather the people of a story: hands that a program draws, or photographs in a folder.

Photographs are laid out as `<person>/<n>.jpg`. The first three of a person enrol, each of the others is one visit;
strangers are people who are not enrolled, and try with all of theirs.
"""

from __future__ import annotations

from functools import partial
from itertools import cycle, islice
from pathlib import Path

from handsel.drawn.camera import as_jpeg
from handsel.drawn.person import DrawnPerson
from handsel.errors import BadInput
from handsel.till.session import CHARGE_FRAMES, ENROLMENT_FRAMES
from handsel.wiring.story import Guest

PEOPLE, STRANGERS = 6, 3
ENROLMENT_PHOTOS = 3
PHOTO_REPEATS = 2 * CHARGE_FRAMES  # The till may ask once more, since a photograph is a copy of a hand.
ENROLLED_SHARE = 2 / 3  # Of the people in a folder, unless a number is given.
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
DRAWN_FRAMES_MAX = 8  # Pictures for one holding-out: no person would wait longer.
VISIT_FIRST_SHOT = 100
STRANGER_FIRST_SEED = 1001
JPEG_QUALITY = 92


def drawn_guests(people: int, strangers: int) -> tuple[tuple[Guest, ...], tuple[Guest, ...]]:
    """
    Return people and strangers with drawn hands.
    """
    return (
        tuple(_drawn_guest(f"drawn {seed}", seed) for seed in range(1, people + 1)),
        tuple(_drawn_guest(f"stranger {n + 1}", STRANGER_FIRST_SEED + n) for n in range(strangers)),
    )


def photographed_guests(
    directory: Path, *, people: int | None, strangers: int | None
) -> tuple[tuple[Guest, ...], tuple[Guest, ...]]:
    """
    Return people and strangers from the photographs in `directory`: two thirds and the rest, unless numbers are given.

    Raises `BadInput` where there are no photographs, or not enough people.
    """
    if not directory.is_dir():
        raise BadInput(f"{directory} is not a folder: lay photographs out as DIR/<person>/<n>.jpg")
    folders = [photos for folder in sorted(directory.iterdir()) if folder.is_dir() and (photos := _photos_in(folder))]
    count = round(len(folders) * ENROLLED_SHARE) if people is None else people
    if not folders:
        raise BadInput(f"there are no photographs in {directory}: lay them out as DIR/<person>/<n>.jpg")
    if not 0 < count <= len(folders):
        raise BadInput(f"{directory} has photographs of {len(folders)} people: --people is 1 to {len(folders)} here")
    too_few = [photos[0].parent.name for photos in folders[:count] if len(photos) <= ENROLMENT_PHOTOS]
    if too_few:
        raise BadInput(f"{too_few[0]} needs {ENROLMENT_PHOTOS} photographs to enrol with and one more to pay with")
    rest = folders[count:] if strangers is None else folders[count : count + strangers]
    return tuple(map(_photographed_guest, folders[:count])), tuple(map(_photographed_stranger, rest))


def _drawn_guest(name: str, seed: int) -> Guest:
    person = DrawnPerson(seed)
    enrolment = tuple(partial(_picture, person, shot) for shot in range(DRAWN_FRAMES_MAX))
    visit = tuple(partial(_picture, person, VISIT_FIRST_SHOT + shot) for shot in range(DRAWN_FRAMES_MAX))
    return Guest(name, enrolment, (visit,))


def _picture(person: DrawnPerson, shot: int) -> bytes:
    return as_jpeg(person.frame(shot), quality=JPEG_QUALITY)


def _photographed_guest(photos: list[Path]) -> Guest:
    # A till wants more frames than there are photographs to enrol with, and as many again where it takes them for a
    # copy, as photographs are: they are held out in turn.
    shown = islice(cycle(photos[:ENROLMENT_PHOTOS]), 2 * ENROLMENT_FRAMES)
    enrolment = tuple(partial(photo.read_bytes) for photo in shown)
    return Guest(photos[0].parent.name, enrolment, _visits(photos[ENROLMENT_PHOTOS:]))


def _photographed_stranger(photos: list[Path]) -> Guest:
    return Guest(photos[0].parent.name, (), _visits(photos))


def _visits(photos: list[Path]) -> tuple[tuple[partial[bytes], ...], ...]:
    return tuple((partial(photo.read_bytes),) * PHOTO_REPEATS for photo in photos)


def _photos_in(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    return sorted(found, key=lambda path: (len(path.stem), path.stem))  # 2.jpg comes before 10.jpg.
