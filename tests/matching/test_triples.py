"""
Promises of the triples: they are random bits with their AND, and a false one is seen before it proves anything.
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
from handsel.matching.triples import OPENED, SURE_BITS, bucket_of, make_triples, sacrifice
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


def _made(name: str, masks: Masks, count: int, dealer: Dealer) -> Dialogue[Product]:
    gates = Gates(Seat(name), masks)
    triples = yield from make_triples(gates, count, dealer.octets)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return triples


def _make(dealer: Dealer, count: int, masks: Mapping[str, Masks] | None = None, *, last: str = "") -> Outcome[Product]:
    masks = masks or dealer.masks()
    return play({name: _made(name, masks[name], count, dealer) for name in MATCHERS}, last=last)


def _joined(shares: Mapping[str, Shared]) -> Bits:
    for name in MATCHERS:
        assert np.array_equal(shares[name].after, shares[Seat(name).after].own)
    return shares["a"].own ^ shares["b"].own ^ shares["c"].own


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1000])
def test_triples_are_random_bits_with_their_and(count: int) -> None:
    outcome = _make(Dealer(count), count)

    assert not outcome.raised
    made = outcome.answers
    x, y, z = (_joined({name: made[name][part] for name in MATCHERS}) for part in range(3))
    assert (x.size, y.size, z.size) == (count, count, count)
    assert np.array_equal(x & y, z)
    assert len({*x.tolist(), *y.tolist()}) == 2 * count


def test_triples_are_not_in_the_order_in_which_they_were_made() -> None:
    """
    The masks of both runs are the same, the coins are not.
    """
    made = []
    for seed in (2, 3):
        masks, coins = Dealer(1).masks(), Dealer(seed)
        shares = play({name: _made(name, masks[name], COUNT, coins) for name in MATCHERS}).answers
        made.append(_joined({name: shares[name].x for name in MATCHERS}))

    assert not np.array_equal(made[0], made[1])
    assert len(set(made[0].tolist()) & set(made[1].tolist())) >= COUNT - OPENED


@pytest.mark.parametrize("cheater", MATCHERS)
def test_false_triple_in_any_of_the_lists_is_caught(cheater: str) -> None:
    size = COUNT + OPENED
    for seed in RUNS:
        for number in range(bucket_of(COUNT)):
            dealer = Dealer(seed)
            at, bit = number * size + int(dealer.generator.integers(size)), int(dealer.generator.integers(64))
            masks = lie(dealer.masks(), cheater, ands={(0, at): 1 << bit})

            outcome = _make(dealer, COUNT, masks, last=cheater)

            assert {PeerCheated} == {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


@pytest.mark.parametrize("cheater", MATCHERS)
def test_triples_that_are_all_false_alike_are_shown_to_be(cheater: str) -> None:
    dealer = Dealer(9)
    lies = {(0, at): 1 << 11 for at in range(bucket_of(COUNT) * (COUNT + OPENED))}

    outcome = _make(dealer, COUNT, lie(dealer.masks(), cheater, ands=lies), last=cheater)

    assert {PeerCheated} == {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


@pytest.mark.parametrize("cheater", MATCHERS)
def test_one_false_triple_in_each_list_is_caught(cheater: str) -> None:
    """
    To pass, all of them would have to meet: 33 places, in each of nine lists.
    """
    size = COUNT + OPENED
    for seed in RUNS:
        dealer = Dealer(seed)
        lies = {(0, number * size): 1 for number in range(bucket_of(COUNT))}

        outcome = _make(dealer, COUNT, lie(dealer.masks(), cheater, ands=lies), last=cheater)

        assert {PeerCheated} <= {type(outcome.raised[name]) for name in set(MATCHERS) - {cheater}}


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
