"""
All figures together: what can be counted by hand, what is written and read again, and how large a set can be.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from handsel.errors import BadInput
from handsel.evaluate import evaluation
from handsel.evaluate.evaluation import evaluate
from handsel.evaluate.figures import FORMAT, Figures, Model, Pictures, decode, encode
from handsel.evaluate.presentation import Presented
from handsel.evaluate.table import figure_lines, percent
from tests.evaluate.made_up import MODEL_ID, crowd, picture, presented, reading

MODEL = Model(MODEL_ID, dims=3, views=1, threshold=0.5)
EAST, NORTH, UP = (1, 0, 0), (0, 1, 0), (0, 0, 1)


def figures_of(people: Presented) -> Figures:
    """
    Return the figures of `people`.
    """
    counts = Pictures("made-up", "hand", len(people.rows), 0, 0, 0, 0)
    return evaluate(people, pictures=counts, model=MODEL).figures


def three_people() -> Presented:
    """
    Return two people who are read four times each, one of them once as the other, and a third who is never read.
    """
    a = [picture("a", reading(EAST))] * 4
    b = [*[picture("b", reading(NORTH))] * 3, picture("b", reading(EAST))]
    return presented([*a, *b, picture("c", None), picture("c", None)])


def test_every_count_is_the_one_that_is_found_by_hand() -> None:
    found = figures_of(three_people())

    assert (found.acquisition.not_acquired.errors, found.acquisition.not_acquired.trials) == (2, 10)
    assert found.acquisition.reasons == {"blurred": 2}
    one, three = found.verification
    assert (one.enrolled_from, one.genuine_pairs, one.impostor_pairs) == (1, 12, 16)
    assert (one.missed.errors, one.missed.trials) == (6, 24)
    assert (one.missed_failures_counted.errors, one.missed_failures_counted.trials) == (8, 26)
    assert (one.matched.errors, one.matched.trials) == (8, 32)
    # Enrolled from three, b's enrolments with one picture of a's direction have (1, 2, 0) / √5.
    assert (three.enrolled_from, three.genuine_pairs, three.impostor_pairs) == (3, 8, 8)
    assert (three.missed.errors, three.matched.errors) == (1, 1)
    assert three.enrolments_begun_anew == 3
    assert one.strictest.fmr == 3 / 16 and one.strictest.missed is not None
    assert one.strictest.missed.errors == 24  # Above the largest impostor score, which is 1, there is nothing.
    assert all(each.missed is None for each in one.at_fmr)


def test_figures_are_read_as_they_were_written_and_hold_no_vector_and_no_name() -> None:
    found = figures_of(three_people())

    content = encode(found)

    assert decode(content) == found
    assert encode(decode(content)) == content
    assert len(content) < 40_000
    assert b'"a"' not in content and b"NaN" not in content


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_what_are_no_figures_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        decode(content)


def test_figures_of_another_format_are_refused() -> None:
    content = encode(figures_of(three_people())).replace(f'"format": {FORMAT}'.encode(), b'"format": 99')

    with pytest.raises(BadInput, match="99"):
        decode(content)


def test_a_table_gives_bounds_where_there_was_no_error_and_no_rate_beyond_the_pairs() -> None:
    people = presented([picture(name, reading(seen)) for name, seen in (("a", EAST), ("b", NORTH), ("c", UP)) * 3])

    lines = "\n".join(figure_lines(figures_of(people)))

    assert "0 of 54: at most 11.1 % (rule of three)" in lines
    assert "too few pairs: it takes 3000000" in lines
    assert "not independent" in lines


def test_people_of_whom_nobody_can_be_compared_are_refused() -> None:
    with pytest.raises(BadInput):
        figures_of(presented([picture("a", reading(EAST)), picture("b", reading(NORTH))]))
    with pytest.raises(BadInput):
        figures_of(presented([picture("a/left", reading(EAST))] * 2 + [picture("b", None)] * 2))


def test_more_pictures_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "PICTURES_MAX", 9)

    with pytest.raises(BadInput):
        figures_of(three_people())


def test_hundreds_of_thousands_of_pairs_take_seconds() -> None:
    """
    Six hundred pictures of nine views and 432 numbers, a tenth of the work of two thousand, in time of the processor.
    """
    people = crowd(11, palms=150, pictures=4, views=9, dims=432)
    started = time.process_time()

    found = figures_of(people)

    assert time.process_time() - started < 30
    assert found.verification[0].impostor_pairs > 100_000
    assert found.verification[0].at_fmr[1].missed is not None


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(None, "–"), (0.0, "0 %"), (1.0, "100 %"), (0.12345, "12.3 %"), (0.99987, "99.99 %"), (3.1e-6, "0.00031 %")],
)
def test_rates_are_written_in_per_cent(rate: float | None, expected: str) -> None:
    assert percent(rate) == expected


def test_the_order_of_pictures_changes_nothing_but_ties() -> None:
    people = crowd(13, palms=6, pictures=4)
    order = np.random.default_rng(0).permutation(len(people.rows)).tolist()
    shuffled = presented([people.rows[row] for row in order])

    first, again = figures_of(people).verification[0], figures_of(shuffled).verification[0]

    assert first.missed.errors == again.missed.errors
    assert np.isclose(first.equal_error_rate, again.equal_error_rate)
    assert first.matched.errors == again.matched.errors
