"""
Promises of the proof: sums that are right pass it, and one that is wrong does not, wherever it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from handsel.errors import PeerCheated
from handsel.matching.convert import Lanes
from handsel.matching.dialogue import Seat
from handsel.matching.honest import Asked, nonsense_size
from handsel.matching.message import MATCHERS
from handsel.matching.prepared import Shape
from handsel.matching.proof import REPEATS, Claims, combinations_of, prove_products
from handsel.matching.ring import Words
from handsel.matching.rows import Rows
from handsel.matching.scale import entry_max, squares_of_norms
from tests.matching.cheat import Outcome, messages, play
from tests.matching.dealt import Dealer, Vectors, palms, scene

DIMS, MATCHED, THRESHOLD, BITS = 16, 2, 717, 12
VECTORS = MATCHED + 1  # One more is to be enrolled.
WIDE = nonsense_size(VECTORS, DIMS)
USED = 2 * VECTORS * DIMS + 2 * VECTORS  # Of the wide words; those behind are padding.
RUNS = range(20)


def _sums(gallery: Vectors, views: Vectors) -> Words:
    """
    Return in the clear what the three matchers claim together.
    """
    q, rows = views.astype(np.int64), gallery.astype(np.int64)
    squares, honest, largest = (q**2).sum(axis=1), squares_of_norms(DIMS), entry_max(DIMS)
    wide = np.concatenate([(largest + q).ravel(), (largest - q).ravel(), squares - honest[0], honest[-1] - squares])
    padding = np.zeros(WIDE - USED, np.int64)
    return np.concatenate([wide, padding, (q[:MATCHED] @ rows.T - THRESHOLD).ravel()]).astype(np.uint16)


class _Claimed:
    """
    Hold a gallery of 64 rows, a query, and what the three have told each other of its sums.
    """

    def __init__(self, seed: int) -> None:
        self.dealer = Dealer(seed)
        gallery, views = (palms(self.dealer.generator, count, dims=DIMS) for count in (64, VECTORS))
        self.rows: dict[str, Rows] = self.dealer.rows(gallery, [bytes(16)] * 64)
        self.asked: dict[str, Asked] = self.dealer.asked(views, matched=MATCHED)
        self.sums = _sums(gallery, views)

    def prove(self, *, errors: Mapping[int, int] | None = None) -> Outcome[None]:
        """
        Have the three prove the sums, to which errors were added.
        """
        total = self.sums.copy()
        for at, error in (errors or {}).items():
            total[at : at + 1] += np.array([error % (1 << 16)], np.uint16)
        parts = [self.dealer.words(total.shape), self.dealer.words(total.shape)]
        parts.append(total - parts[0] - parts[1])
        masks, shape = self.dealer.masks(), Shape(Lanes(WIDE, total.size - WIDE, BITS), MATCHED)
        return play(
            {
                name: prove_products(
                    Seat(name),
                    Claims(parts[index], parts[(index + 1) % 3], shape, THRESHOLD),
                    rows=self.rows[name],
                    asked=self.asked[name],
                    masks=masks[name],
                    random_bytes=self.dealer.octets,
                )
                for index, name in enumerate(MATCHERS)
            }
        )


def _require_caught(outcome: Outcome[None]) -> None:
    assert dict.fromkeys(MATCHERS, PeerCheated) == {name: type(exc) for name, exc in outcome.raised.items()}


def test_sums_that_are_right_are_proved() -> None:
    for seed in RUNS:
        assert not _Claimed(seed).prove().raised


@pytest.mark.parametrize("error", [1, -1, 1 << 15, 1 << 14, 5000])
def test_no_sum_of_the_query_may_be_wrong_in_any_bit(error: int) -> None:
    claimed = _Claimed(1)

    assert [at for at in range(USED) if not claimed.prove(errors={at: error}).raised] == []


@pytest.mark.parametrize("error", [1, -1, 1 << (BITS - 1), 1 << (BITS - 2)])
def test_no_sum_of_a_row_may_be_wrong_in_a_bit_that_counts(error: int) -> None:
    claimed = _Claimed(2)

    for row in range(WIDE, WIDE + 64 * MATCHED, 5):
        _require_caught(claimed.prove(errors={row: error}))


def test_errors_that_sum_to_zero_are_caught() -> None:
    claimed = _Claimed(3)

    for first, second in (
        (0, 1),
        (0, VECTORS * DIMS),
        (2 * VECTORS * DIMS, USED - 1),
        (WIDE, WIDE + 1),
        (WIDE, WIDE + 64),
    ):
        _require_caught(claimed.prove(errors={first: 100, second: -100}))


def test_summands_that_two_tell_differently_are_caught() -> None:
    claimed = _Claimed(4)
    parts = [claimed.dealer.words(claimed.sums.shape), claimed.dealer.words(claimed.sums.shape)]
    parts.append(claimed.sums - parts[0] - parts[1])
    shape = Shape(Lanes(WIDE, claimed.sums.size - WIDE, BITS), MATCHED)
    masks = claimed.dealer.masks()
    for at in (0, VECTORS * DIMS, 2 * VECTORS * DIMS, WIDE, WIDE + 100):
        told = parts[1].copy()
        told[at] ^= 1 << 5  # What a takes b's summand for, where b itself holds another.

        outcome = play(
            {
                name: prove_products(
                    Seat(name),
                    Claims(parts[index], told if name == "a" else parts[(index + 1) % 3], shape, THRESHOLD),
                    rows=claimed.rows[name],
                    asked=claimed.asked[name],
                    masks=masks[name],
                    random_bytes=claimed.dealer.octets,
                )
                for index, name in enumerate(MATCHERS)
            }
        )

        _require_caught(outcome)


@pytest.mark.parametrize("bits", range(9, 17))
def test_wrong_sum_is_missed_once_in_2_to_the_40_at_most(bits: int) -> None:
    """
    Every weight counted: an error of the top bit times the weight is hidden by a scale that is a multiple of the rest.
    """
    weights, hidden = 1 << (17 - bits), 0.0
    for weight in range(weights):
        left = (weight << (bits - 1)) % (1 << 16)
        scales_that_hide = 1.0 if left == 0 else (left & -left) / (1 << 16)
        hidden += scales_that_hide**REPEATS / weights

    assert hidden ** combinations_of(bits) <= 2.0**-40
    assert 0.5 ** (REPEATS * combinations_of(bits)) <= 2.0**-40  # A square is proved by every repeat.


def test_proof_takes_no_more_combinations_than_it_needs() -> None:
    assert [combinations_of(bits) for bits in range(9, 16)] == sorted(combinations_of(bits) for bits in range(9, 16))
    assert combinations_of(9) == 40 // REPEATS


def test_nothing_is_proved_where_nothing_is_to_be() -> None:
    unproved, proved = (messages(scene(1, is_proved=is_proved).dialogues())["a"] for is_proved in (False, True))

    assert len(unproved) < len(proved) / 2
