"""
Promises of the splitting: three shares give the vector back, one share says nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

from handsel.errors import InvariantBroken
from handsel.matching.ring import Words, multiply_words, negate_odd, weight_at_zero
from handsel.matching.split import split_query, split_rows, system_words, to_wire
from tests.matching.three import palm

SEED = 7
CHI_SQUARE_MAX = 400.0  # 255 degrees of freedom: exceeded once in 10^8.


def _joined(shares: tuple[Words, Words, Words]) -> Words:
    parts = [multiply_words(share, weight_at_zero(index)) for index, share in enumerate(shares)]
    return parts[0] + parts[1] + parts[2]


def _seeded_words(shape: tuple[int, ...]) -> Words:
    return np.random.default_rng(SEED).integers(0, 1 << 16, shape, np.uint16)


def _chi_square(octets: bytes) -> float:
    counts = np.bincount(np.frombuffer(octets, np.uint8), minlength=256)
    expected = len(octets) / 256
    return float(((counts - expected) ** 2 / expected).sum())


def test_three_shares_of_a_template_give_it_back() -> None:
    template = palm(1)

    assert np.array_equal(template, _joined(split_rows(template)).view(np.int16))


def test_three_shares_of_views_as_rows_give_them_back() -> None:
    views = np.stack([palm(seed) for seed in range(9)])

    assert np.array_equal(views, _joined(split_rows(views)).view(np.int16))


def test_three_shares_of_a_query_give_its_views_back() -> None:
    views = np.stack([palm(seed) for seed in range(9)])

    assert np.array_equal(views, negate_odd(_joined(split_query(views))).view(np.int16))


def test_shares_of_a_product_add_up_to_the_dot_product() -> None:
    template, views = palm(1), np.stack([palm(2), palm(1)])
    rows, queries = split_rows(template), split_query(views)

    total = np.zeros(2, np.uint16)
    for index in range(3):
        weighted = negate_odd(multiply_words(queries[index], weight_at_zero(index)))
        total += (weighted * rows[index]).sum(axis=1, dtype=np.uint16)

    assert np.array_equal(views.astype(int) @ template.astype(int), total.view(np.int16))


@pytest.mark.parametrize("matcher", [0, 1, 2])
@pytest.mark.parametrize("entry", [0, 127, -128])
def test_one_share_is_uniform_whatever_the_palm(matcher: int, entry: int) -> None:
    views = np.full((500, 64), entry, np.int8)

    assert _chi_square(to_wire(split_query(views)[matcher])) < CHI_SQUARE_MAX
    templates = b"".join(to_wire(split_rows(view)[matcher]) for view in views)
    assert _chi_square(templates) < CHI_SQUARE_MAX


def test_chi_square_sees_what_is_not_uniform() -> None:
    assert _chi_square(bytes(range(250)) * 256) > CHI_SQUARE_MAX


def test_two_splittings_of_a_palm_have_nothing_in_common() -> None:
    first, second = split_rows(palm(1)), split_rows(palm(1))

    for one, other in zip(first, second, strict=True):
        assert np.count_nonzero(one == other) < 8  # Of 64, by chance 0.001.


def test_randomness_is_what_was_passed_in() -> None:
    first = split_rows(palm(1), random_words=_seeded_words)
    second = split_rows(palm(1), random_words=_seeded_words)

    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_system_words_fill_the_shape_that_was_asked() -> None:
    assert system_words((3, 4)).shape == (3, 4)


def test_wire_form_is_little_endian_row_by_row() -> None:
    assert to_wire(np.array([[1, 2], [256, 65535]], np.uint16)) == b"\x01\x00\x02\x00\x00\x01\xff\xff"


def test_vector_of_odd_length_or_of_other_words_is_refused() -> None:
    for wrong in (np.zeros(3, np.int8), np.zeros((2, 3), np.int8), np.zeros(4, "<i2")):
        with pytest.raises(InvariantBroken):
            split_rows(wrong)
        with pytest.raises(InvariantBroken):
            split_query(wrong)
