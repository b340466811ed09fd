"""
Groups hold whom they say, and their rates are those of their own trials.
"""

from __future__ import annotations

import numpy as np

from handsel.evaluate.breakdown import break_down, groups
from handsel.evaluate.trials import every_pair
from tests.evaluate.made_up import crowd, picture, presented, reading

EAST, NORTH = (1, 0), (0, 1)


def test_everybody_is_in_one_group_of_each_kind_and_the_edges_belong_to_the_upper_one() -> None:
    tones = (0.0, 0.33, 1 / 3, 0.66, 2 / 3, 1.0)
    ages = (20.0, 34.9, 35.0, 50.0, 65.0, 90.0)
    rows = [
        picture(f"p{i}", reading(EAST, quality=q), tone=tone, age=age)
        for i, (tone, age, q) in enumerate(zip(tones, ages, (0.9, 0.1, 0.5, 0.5, 0.7, 0.2), strict=True))
    ]

    found = {(by, name): np.flatnonzero(members).tolist() for by, name, members in groups(presented(rows))}

    assert found == {
        ("quality", "lowest third"): [1, 5],
        ("quality", "middle third"): [2, 3],
        ("quality", "highest third"): [0, 4],
        ("tone", "light"): [0, 1],
        ("tone", "medium"): [2, 3],
        ("tone", "dark"): [4, 5],
        ("age", "below 35"): [0, 1],
        ("age", "35 to 49"): [2],
        ("age", "50 to 64"): [3],
        ("age", "65 and above"): [4, 5],
    }


def test_the_rates_of_a_group_are_those_of_its_trials() -> None:
    """
    Two light people who look alike, and a dark one who is missed every time and read two times in three.
    """
    light = [picture(name, reading(EAST), tone=0.1) for name in ("a", "a", "b", "b")]
    dark = [picture("c", seen, tone=0.9) for seen in (reading(EAST), reading(NORTH), None)]
    people = presented([*light, *dark])

    found = {group.name: group for group in break_down(people, every_pair(people), None, threshold=0.5)}

    a, c = found["light"], found["dark"]
    assert a.missed is not None and (a.missed.errors, a.missed.trials) == (0, 4)
    assert a.matched is not None and (a.matched.errors, a.matched.trials, a.matched.pairs) == (8, 8, 4)
    assert c.missed is not None and (c.missed.errors, c.missed.trials) == (2, 2)
    assert c.missed_failures_counted is not None
    assert (c.missed_failures_counted.errors, c.missed_failures_counted.trials) == (6, 6)
    assert c.not_acquired is not None and (c.not_acquired.errors, c.not_acquired.trials) == (1, 3)
    assert c.matched is None and c.missed_from_three is None
    assert (c.pictures, c.palms) == (3, 1)


def test_groups_that_nothing_is_known_of_are_left_out() -> None:
    people = crowd(9, palms=4, pictures=3)

    assert {by for by, _, _ in groups(people)} == {"quality"}
