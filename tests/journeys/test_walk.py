"""
`handsel walk` tells the whole story, and says by its exit status whether anybody paid with someone else's money.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from handsel.cli import walk
from handsel.wiring.story import Tally

PHOTOS = Path(__file__).parents[3] / "shared" / "palms"

pytestmark = pytest.mark.journey


def run_walk(*words: str) -> subprocess.CompletedProcess[str]:
    """
    Run `handsel walk` as a person does.
    """
    return subprocess.run(
        [sys.executable, "-m", "handsel", "walk", *words], capture_output=True, text=True, timeout=300, check=False
    )


def test_drawn_people_pay_and_strangers_do_not() -> None:
    """
    Drawn people enrol and pay, strangers do not, a refund arrives and an erased palm no longer pays.
    """
    ended = run_walk("--people", "4", "--strangers", "3")

    assert ended.returncode == 0, ended.stderr
    assert "4 of 4 enrolled; 4 of 4 visits paid; the refund arrived; the erased palm no longer pays." in ended.stdout
    assert ended.stdout.splitlines()[-1] == (
        "4 of 4 people paid, 0 were taken for someone else, 0 of 3 tries by strangers paid."
    )


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs of real palms are not part of the project")
def test_photographed_people_pay_and_strangers_do_not() -> None:
    """
    On real photographs everybody who is enrolled pays, nobody is taken for someone else, and no stranger pays.

    Some of them: that all are told apart is in tests/vision/test_read_palm.py; `handsel walk --photos` takes them all.
    """
    ended = run_walk("--photos", str(PHOTOS), "--people", "8", "--strangers", "5")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == (
        "8 of 8 people paid, 0 were taken for someone else, 0 of 20 tries by strangers paid."
    )


@pytest.mark.parametrize(
    ("tally", "is_safe"),
    [
        (Tally(visits=3, visits_paid=0), True),
        (Tally(taken_for_someone_else=1), False),
        (Tally(strangers_paid=1), False),
        (Tally(erased_pays=True), False),
        (Tally(erased_pays=False), True),
    ],
    ids=["nobody pays", "someone else pays", "a stranger pays", "an erased palm pays", "an erased palm does not"],
)
def test_only_money_of_others_fails_the_walk(tally: Tally, is_safe: bool) -> None:
    """
    The exit status speaks of safety; how many were recognised is in the table.
    """
    assert tally.is_safe is is_safe


def test_photographs_must_be_there(tmp_path: Path) -> None:
    """
    An empty folder is an error that says how to lay photographs out.
    """
    ended = run_walk("--photos", str(tmp_path))

    assert ended.returncode == 65
    assert "<person>/<n>.jpg" in ended.stderr


def test_summary_of_a_walk_without_people_alarms_nobody() -> None:
    """
    Who asks for nobody is told of nobody.
    """
    said = walk.summary(Tally())

    assert "nobody was refunded; nobody was erased." in said
    assert "NO REFUND ARRIVED" in walk.summary(Tally(refunded=False))


def test_summary_says_it_loud_when_it_goes_wrong() -> None:
    """
    What must not happen is not hidden among the numbers.
    """
    assert "THE ERASED PALM STILL PAYS" in walk.summary(Tally(erased_pays=True))
