"""
Promises of the triples: they prove an AND that is right, and a false one is seen, be it the AND or a triple.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from handsel.errors import PeerCheated
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gates import Gates, Product, Shared
from handsel.matching.kernels import Bits
from handsel.matching.masks import Masks
from handsel.matching.message import MATCHERS
from handsel.matching.triples import OPENED, SURE_BITS, bucket_of, prove_products, sacrifice
from tests.matching.cheat import Outcome, lie, play
from tests.matching.dealt import Dealer

RUNS = range(20)
COUNT = 30


@pytest.mark.parametrize("count", [2, 3, 31, 32, 33, 1023, 1024, 10_000, 1 << 20, 1 << 22])
def test_a_bucket_is_as_large_as_need_be_and_no_larger(count: int) -> None:
    bucket = bucket_of(count)

    assert (bucket - 1) * math.log2(count) >= 40
    assert (bucket - 2) * math.log2(count) < SURE_BITS == 40


def test_a_bucket_for_next_to_nothing_is_as_sure() -> None:
    """
    Two words are shuffled with those that are shown, so one is no likelier to meet another than with two.
    """
    assert bucket_of(0) == bucket_of(1) == bucket_of(2) == 41


def _proved(name: str, masks: Masks, planes: tuple[Shared, Shared], dealer: Dealer) -> Dialogue[Product]:
    """
    Have two planes met, and prove it.
    """
    gates = Gates(Seat(name), masks, kept=planes[0].size)
    yield from gates.multiply(*planes)
    yield from prove_products(gates, gates.products(), dealer.octets)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return gates.products()


def _prove(
    dealer: Dealer, count: int, *, cheater: str = "a", lies: Mapping[tuple[int, int], int] | None = None
) -> Outcome[Product]:
    """
    Prove `count` words of ANDs. The first AND is that itself, the second are all triples.
    """
    x, y = (dealer.shared(plane) for plane in dealer.bits((2, count)))
    masks = lie(dealer.masks(), cheater, ands=lies)
    return play({name: _proved(name, masks[name], (x[name], y[name]), dealer) for name in MATCHERS}, last=cheater)


def _require_caught(outcome: Outcome[Product], cheater: str) -> None:
    assert {PeerCheated} == {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 1000])
def test_products_that_are_right_are_proved(count: int) -> None:
    assert not _prove(Dealer(count), count).raised


@pytest.mark.parametrize("cheater", MATCHERS)
def test_product_of_which_one_bit_is_wrong_is_caught(cheater: str) -> None:
    for seed in RUNS:
        dealer = Dealer(seed)
        at, bit = int(dealer.generator.integers(COUNT)), int(dealer.generator.integers(64))

        _require_caught(_prove(dealer, COUNT, cheater=cheater, lies={(0, at): 1 << bit}), cheater)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_false_triple_in_any_of_the_lists_is_caught(cheater: str) -> None:
    size = COUNT + OPENED
    for seed in RUNS:
        for number in range(bucket_of(COUNT) - 1):
            dealer = Dealer(seed)
            at, bit = number * size + int(dealer.generator.integers(size)), int(dealer.generator.integers(64))

            _require_caught(_prove(dealer, COUNT, cheater=cheater, lies={(1, at): 1 << bit}), cheater)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_products_and_triples_that_are_all_false_alike_are_shown_to_be(cheater: str) -> None:
    products = {(0, at): 1 << 11 for at in range(COUNT)}
    triples = {(1, at): 1 << 11 for at in range((bucket_of(COUNT) - 1) * (COUNT + OPENED))}

    _require_caught(_prove(Dealer(9), COUNT, cheater=cheater, lies={**products, **triples}), cheater)


@pytest.mark.parametrize("cheater", MATCHERS)
def test_product_that_is_false_is_caught_though_a_triple_of_each_list_is_false_alike(cheater: str) -> None:
    """
    To pass, all of them would have to meet: 33 places, in each of nine lists.
    """
    size = COUNT + OPENED
    for seed in RUNS:
        lies = {(0, 0): 1, **{(1, number * size): 1 for number in range(bucket_of(COUNT) - 1)}}

        outcome = _prove(Dealer(seed), COUNT, cheater=cheater, lies=lies)

        assert {PeerCheated} <= {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


@pytest.mark.parametrize("cheater", MATCHERS)
def test_triples_are_shuffled_only_after_all_are_made(cheater: str) -> None:
    """
    In a list of few a false product meets a false triple often enough to be seen: as often as one in its length.
    """
    count, met = 1, 0
    for seed in range(60):
        dealer = Dealer(seed)
        x, masks = dealer.shared(dealer.bits((count,))), lie(dealer.masks(), cheater, ands={(0, 0): 1, (1, 0): 1})
        outcome = play({name: _one_list(name, masks[name], x[name], dealer) for name in MATCHERS}, last=cheater)
        met += not outcome.raised

    assert 3 <= met <= 30  # One of four places is matched, three are shown.


def _one_list(name: str, masks: Masks, plane: Shared, dealer: Dealer) -> Dialogue[None]:
    gates = Gates(Seat(name), masks, kept=1)
    yield from gates.multiply(plane, plane)
    yield from prove_products(gates, gates.products(), dealer.octets, lists=1)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)


def _sacrificed(name: str, masks: Masks, products: Product, triples: Product, dealer: Dealer) -> Dialogue[None]:
    gates = Gates(Seat(name), masks)
    yield from sacrifice(gates, products, triples)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)


def _products(dealer: Dealer, error: Bits) -> dict[str, Product]:
    """
    Return products whose results are wrong by `error`.
    """
    x, y = dealer.bits((2, error.size))
    shares = [dealer.shared(plane) for plane in (x, y, (x & y) ^ error)]
    return {name: Product(*(share[name] for share in shares)) for name in MATCHERS}


def _sacrifice(dealer: Dealer, *, error: Bits, of_triples: Bits) -> Outcome[None]:
    products, triples, masks = _products(dealer, error), _products(dealer, of_triples), dealer.masks()
    return play({name: _sacrificed(name, masks[name], products[name], triples[name], dealer) for name in MATCHERS})


def _errors(size: int, bits: int) -> Bits:
    errors = np.zeros(size, np.uint64)
    for bit in range(bits):
        errors[7 * bit % size] ^= np.uint64(1 << 13 * bit % 64)
    return errors


def test_products_are_proved_by_triples() -> None:
    for seed in RUNS:
        assert not _sacrifice(Dealer(seed), error=_errors(9, 0), of_triples=_errors(9, 0)).raised


@pytest.mark.parametrize("bits", [1, 2, 9])
def test_wrong_product_is_not_proved(bits: int) -> None:
    for seed in RUNS:
        outcome = _sacrifice(Dealer(seed), error=_errors(9, bits), of_triples=_errors(9, 0))

        assert {PeerCheated} == {type(exc) for exc in outcome.raised.values()}


@pytest.mark.parametrize("bits", [1, 2, 9])
def test_wrong_triple_proves_nothing(bits: int) -> None:
    for seed in RUNS:
        outcome = _sacrifice(Dealer(seed), error=_errors(9, 0), of_triples=_errors(9, bits))

        assert {PeerCheated} == {type(exc) for exc in outcome.raised.values()}


def test_two_errors_that_are_the_same_hide_each_other() -> None:
    """
    That is why triples are proved and shuffled before they prove anything.
    """
    assert not _sacrifice(Dealer(1), error=_errors(9, 3), of_triples=_errors(9, 3)).raised
