"""
The simulated camera: pictures that are the same when asked for again, and differ otherwise.
"""

from __future__ import annotations

import pytest

from handsel.errors import NotFound
from handsel.web.simulated_camera import PEOPLE, SHOTS_MAX, SimulatedCamera


def test_a_person_and_a_shot_are_one_picture() -> None:
    assert SimulatedCamera().picture(1, shot=3) == SimulatedCamera().picture(1, shot=3)


def test_pictures_of_one_person_differ_and_so_do_people() -> None:
    camera = SimulatedCamera()

    pictures = {camera.picture(1, shot=0), camera.picture(1, shot=SHOTS_MAX - 1), camera.picture(2, shot=0)}
    assert len(pictures) == 3


@pytest.mark.parametrize(("seed", "shot"), [(0, 0), (len(PEOPLE) + 1, 0), (1, -1), (1, SHOTS_MAX)])
def test_there_is_no_picture_beyond_the_bounds(seed: int, shot: int) -> None:
    with pytest.raises(NotFound):
        SimulatedCamera().picture(seed, shot=shot)


def test_everybody_has_a_name_of_his_own() -> None:
    assert len({person.name for person in PEOPLE}) == len(PEOPLE) == len({person.seed for person in PEOPLE})
