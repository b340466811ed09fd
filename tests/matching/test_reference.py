"""
Promises of the oracle, small enough to check by hand.
"""

from __future__ import annotations

import numpy as np

from handsel.matching.reference import match_in_clear

GALLERY = np.array([[1, 0], [0, 1], [1, 1]], np.int8)
ALIASES = [bytes([1] * 16), bytes([2] * 16), bytes([4] * 16)]


def test_row_that_reaches_the_threshold_gives_its_alias() -> None:
    views = np.array([[3, 0]], np.int8)

    assert bytes(16) == match_in_clear(GALLERY[:2], views, aliases=ALIASES[:2], threshold=4)
    assert ALIASES[0] == match_in_clear(GALLERY[:2], views, aliases=ALIASES[:2], threshold=3)


def test_row_that_matches_in_two_views_counts_once() -> None:
    views = np.array([[3, 0], [4, 0]], np.int8)

    assert ALIASES[0] == match_in_clear(GALLERY[:2], views, aliases=ALIASES[:2], threshold=3)


def test_rows_that_match_in_different_views_are_combined() -> None:
    views = np.array([[3, 0], [0, 3]], np.int8)

    assert bytes([1 ^ 2 ^ 4] * 16) == match_in_clear(GALLERY, views, aliases=ALIASES, threshold=3)


def test_empty_gallery_gives_zeros() -> None:
    assert bytes(16) == match_in_clear(GALLERY[:0], GALLERY, aliases=[], threshold=0)
