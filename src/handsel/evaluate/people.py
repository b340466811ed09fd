"""
Read who the folders of an evaluation belong to: one palm a folder, unless `people.csv` says otherwise.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from handsel.errors import BadInput
from handsel.evaluate.presentation import Subject
from handsel.evaluate.read_text import read_text

PEOPLE = "people.csv"
COLUMNS = frozenset({"person", "payer", "hand", "tone", "age"})
HANDS = frozenset({"", "left", "right"})
AGE_MAX = 130.0


def folder_of(path: str) -> str:
    """
    Return the folder, the first part of `path`, whose name says whose picture it is. Raises `BadInput`.
    """
    parts = PurePosixPath(path).parts
    if len(parts) < 2:
        raise BadInput(f"{path} lies in no person's folder; pictures are DIR/<person>/<n>.jpg")
    return parts[0]


def read_subjects(directory: Path, folders: Iterable[str]) -> dict[str, Subject]:
    """
    Return the subject of each of `folders`. Raises `BadInput` where `people.csv` and the folders do not agree.

    A payer's folders are told apart by `hand`: two with the same hand show one palm, two without a hand are two palms.
    """
    names = sorted(set(folders))
    path = directory / PEOPLE
    if not path.exists():
        return {name: Subject(payer=name, palm=name) for name in names}
    subjects = _parse(read_text(path))
    for name in names:
        if name not in subjects:
            raise BadInput(f"{PEOPLE} has no line for the folder {name}")
    for name in subjects:
        if not (directory / name).is_dir():
            raise BadInput(f"{PEOPLE} names {name}, and there is no such folder")
    return {name: subjects[name] for name in names}


def _parse(text: str) -> dict[str, Subject]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    columns = reader.fieldnames or ()
    if "person" not in columns or not set(columns) <= COLUMNS or len(set(columns)) < len(columns):
        raise BadInput(f"{PEOPLE} has the column person and, of payer, hand, tone and age, those that are known")
    subjects: dict[str, Subject] = {}
    try:
        for number, row in enumerate(reader, start=2):
            if None in row or None in row.values():
                raise BadInput(f"{PEOPLE}, line {number}: it has not as many columns as the first line")
            name = row["person"]
            if not name or name in subjects:
                raise BadInput(f"{PEOPLE}, line {number}: a person is named once")
            subjects[name] = _subject(row, where=f"{PEOPLE}, line {number}")
    except csv.Error as exc:
        raise BadInput(f"{PEOPLE} is not comma-separated text: {exc}") from exc
    return subjects


def _subject(row: Mapping[str, str], *, where: str) -> Subject:
    name, hand = row["person"], row.get("hand", "")
    payer = row.get("payer") or name
    if hand not in HANDS:
        raise BadInput(f"{where}: a hand is left, right or nothing")
    return Subject(
        payer=payer,
        palm=f"{payer}/{hand}" if hand else f"{payer}//{name}",
        tone=_number(row.get("tone", ""), 1.0, f"{where}: a tone is 0 (very light) to 1 (very dark)"),
        age=_number(row.get("age", ""), AGE_MAX, f"{where}: an age is in years"),
    )


def _number(text: str, largest: float, rule: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as exc:
        raise BadInput(rule) from exc
    if not 0 <= value <= largest:  # A NaN is refused here too.
        raise BadInput(rule)
    return value
