"""
Promises of shared bits: what three compute together is what one would compute alone, and what is opened is the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from handsel.errors import EnvelopeInvalid, PeerCheated
from handsel.matching.dialogue import Dialogue, Seat, Send
from handsel.matching.gates import Gates, Product, Shared, join, xor_joined, zeros
from handsel.matching.kernels import Bits
from handsel.matching.message import MATCHERS
from tests.matching.cheat import changing, play
from tests.matching.dealt import Dealer

SIZES = [0, 1, 5, 100]
Step = Callable[[Gates, list[Shared]], Dialogue[Shared]]


def _together(dealer: Dealer, planes: Sequence[Bits], step: Step, *, kept: int = 0) -> Bits:
    """
    Share planes, have the three carry out a step with them, and return what they then share.
    """
    shared, masks = [dealer.shared(plane) for plane in planes], dealer.masks()
    outcome = play(
        {name: step(Gates(Seat(name), masks[name], kept=kept), [plane[name] for plane in shared]) for name in MATCHERS}
    )
    return _joined(outcome.answers)


def _joined(shares: dict[str, Shared]) -> Bits:
    """
    Return what is shared; each share is held by two, who hold the same.
    """
    for name in MATCHERS:
        assert np.array_equal(shares[name].after, shares[Seat(name).after].own)
    return shares["a"].own ^ shares["b"].own ^ shares["c"].own


@pytest.mark.parametrize("size", SIZES)
def test_and_is_and(size: int) -> None:
    dealer = Dealer(size)
    x, y = dealer.bits((2, size))

    assert np.array_equal(x & y, _together(dealer, [x, y], lambda gates, planes: gates.multiply(*planes)))


def test_two_ands_of_the_same_have_nothing_in_common_on_the_way() -> None:
    dealer = Dealer(1)
    x, gates = dealer.shared(dealer.bits((50,)))["b"], Gates(Seat("b"), dealer.masks()["b"])

    first, second = (next(gates.multiply(x, x)) for _ in range(2))

    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert not np.any(np.frombuffer(first.payload, np.uint64) == np.frombuffer(second.payload, np.uint64))


def _numbers(planes: Sequence[Bits], lanes: int) -> list[int]:
    """
    Return the numbers of the first lanes of planes that may become shorter on the way up.
    """
    found = [0] * lanes
    for power, plane in enumerate(planes):
        for lane, bit in enumerate(np.unpackbits(plane.view(np.uint8), bitorder="little").tolist()[:lanes]):
            found[lane] += bit << power
    return found


def _widths(sizes: Sequence[int]) -> list[int]:
    """
    Return of how many bits the number of each lane is.
    """
    return [sum(64 * size > lane for size in sizes) for lane in range(64 * sizes[0])]


@pytest.mark.parametrize("sizes", [[1], [3, 3], [2] * 16, [3] * 12 + [1] * 4, [4, 3, 2, 1], [5, 5, 2], [0, 0]])
def test_top_bit_is_that_of_the_sum_in_each_lane_where_its_planes_end(sizes: list[int]) -> None:
    dealer = Dealer(sum(sizes))
    first, second = ([dealer.bits((size,)) for size in sizes] for _ in range(2))
    count, lanes = len(sizes), 64 * sizes[0]

    tops = _together(dealer, [*first, *second], lambda gates, p: gates.top_bit(p[:count], p[count:]))

    totals = zip(_numbers(first, lanes), _numbers(second, lanes), _widths(sizes), strict=True)
    expected = [(one + other) >> (width - 1) & 1 for one, other, width in totals]
    assert expected == _numbers([tops], lanes)


@pytest.mark.parametrize("sizes", [[1], [3, 3], [4, 3, 2, 1], [2, 2, 0]])
def test_carries_are_the_majority_of_each_three_bits(sizes: list[int]) -> None:
    dealer, count = Dealer(7), len(sizes)
    a, b, c = ([dealer.bits((size,)) for size in sizes] for _ in range(3))

    def carry(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        found = yield from gates.carries(planes[:count], planes[count : 2 * count], planes[2 * count :])
        assert sizes == [plane.size for plane in found]
        return join(found)

    expected = [(x & y) | (x & z) | (y & z) for x, y, z in zip(a, b, c, strict=True)]
    assert np.array_equal(np.concatenate(expected), _together(dealer, [*a, *b, *c], carry))


@pytest.mark.parametrize("parts", range(1, 12))
@pytest.mark.parametrize("width", [0, 1, 3])
def test_all_of_is_the_and_over_all_planes(parts: int, width: int) -> None:
    dealer = Dealer(parts)
    bits = dealer.bits((parts, width)) | dealer.bits((parts, width)) | dealer.bits((parts, width))

    found = _together(dealer, [bits.ravel()], lambda gates, planes: gates.all_of(planes[0], parts=parts))

    assert np.array_equal(np.bitwise_and.reduce(bits, axis=0), found)


def _triple(dealer: Dealer, size: int, *, x: Bits | None = None) -> list[Bits]:
    a, b = dealer.bits((2, size))
    first = a if x is None else x
    return [first, b, first & b]


@pytest.mark.parametrize("size", SIZES)
def test_and_by_a_triple_is_and(size: int) -> None:
    dealer = Dealer(size)
    x, y = dealer.bits((2, size))

    def multiply(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        return gates.multiply_by(planes[0], planes[1], Product(*planes[2:]))

    assert np.array_equal(x & y, _together(dealer, [x, y, *_triple(dealer, size)], multiply))


@pytest.mark.parametrize("size", SIZES)
def test_next_carry_is_the_majority_of_what_is_public_what_is_random_and_the_carry(size: int) -> None:
    dealer = Dealer(size)
    public, random, carry = dealer.bits((3, size))

    def majority(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        return gates.next_carry(public, planes[0], Product(*planes[1:]))

    found = _together(dealer, [carry, *_triple(dealer, size, x=random)], majority)

    assert np.array_equal((public & random) | (public & carry) | (random & carry), found)


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_all_of_by_triples_takes_one_for_each_plane_but_one(parts: int) -> None:
    dealer, width = Dealer(parts), 3
    bits = dealer.bits((parts, width)) | dealer.bits((parts, width)) | dealer.bits((parts, width))

    def join_all(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        return gates.all_of(planes[0], parts=parts, triples=Product(*planes[1:]))

    found = _together(dealer, [bits.ravel(), *_triple(dealer, (parts - 1) * width)], join_all)

    assert np.array_equal(np.bitwise_and.reduce(bits, axis=0), found)


@pytest.mark.parametrize("liar", MATCHERS)
def test_who_tells_something_else_in_an_and_by_a_triple_is_caught_when_all_is_compared(liar: str) -> None:
    for seed in range(20):
        dealer = Dealer(seed)
        planes = [dealer.shared(plane) for plane in [*dealer.bits((2, 3)), *_triple(dealer, 3)]]
        dialogues = {name: _compared(name, [plane[name] for plane in planes], dealer) for name in MATCHERS}
        at = int(dealer.generator.integers(48))

        def flip(number: int, payload: bytes, at: int = at) -> bytes:
            return payload if number else payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]

        lied = changing(dialogues[liar], lambda number, message: flip(number, message.payload))
        outcome = play({**dialogues, liar: lied}, last=liar)

        assert PeerCheated is type(outcome.raised[Seat(liar).before])


def _compared(name: str, planes: list[Shared], dealer: Dealer) -> Dialogue[Shared]:
    gates = Gates(Seat(name), dealer.masks()[name])
    z = yield from gates.multiply_by(planes[0], planes[1], Product(*planes[2:]))
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return z


def _said(step: Callable[[Gates, list[Shared]], Shared]) -> Step:
    def dialogue(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        yield from ()
        return step(gates, planes)

    return dialogue


def test_what_costs_nothing_is_exact() -> None:
    dealer = Dealer(3)
    x, y = dealer.bits((2, 9))

    assert np.array_equal(x ^ y, _together(dealer, [x, y], _said(lambda _, p: p[0] ^ p[1])))
    assert np.array_equal(~x, _together(dealer, [x], _said(lambda gates, p: gates.negated(p[0]))))
    assert np.array_equal(x ^ y, _together(dealer, [x], _said(lambda gates, p: gates.with_public(p[0], y))))
    assert np.array_equal(x[2:5], _together(dealer, [x], _said(lambda _, p: p[0].part(2, 5))))
    assert np.array_equal(np.concatenate([x, y]), _together(dealer, [x, y], _said(lambda _, p: join(p))))
    both = np.concatenate([x ^ y, y ^ x])
    assert np.array_equal(both, _together(dealer, [x, y], _said(lambda _, p: xor_joined(p, p[::-1]))))
    assert not _together(dealer, [x], _said(lambda _, p: zeros(p[0].size))).any()


@pytest.mark.parametrize("kept", [0, 5, 12])
def test_ands_are_kept_where_they_are_to_be_proved(kept: int) -> None:
    dealer = Dealer(4)
    x, y, w = dealer.bits((5,)), dealer.bits((5,)), dealer.bits((7,))
    products: list[Product] = []

    def multiply(gates: Gates, planes: list[Shared]) -> Dialogue[Shared]:
        z = yield from gates.multiply(planes[0], planes[1])
        if kept > z.size:
            yield from gates.multiply(planes[2], planes[2])
        products.append(gates.products())
        return z

    _together(dealer, [x, y, w], multiply, kept=kept)

    assert [kept] * 3 == [product.z.size for product in products]
    shares = [dict(zip(MATCHERS, planes, strict=True)) for planes in zip(*products, strict=True)]
    found = [_joined(plane) for plane in shares]
    expected = [np.concatenate(parts)[:kept] for parts in ((x, w), (y, w), (x & y, w))]
    assert all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True))


def _open(gates: Gates, plane: Shared, dealer: Dealer) -> Dialogue[Bits]:
    opened = yield from gates.open(plane)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)
    return opened


def test_what_is_opened_is_what_was_shared() -> None:
    dealer = Dealer(5)
    x, masks = dealer.bits((40,)), dealer.masks()
    shared = dealer.shared(x)

    outcome = play({name: _open(Gates(Seat(name), masks[name]), shared[name], dealer) for name in MATCHERS})

    assert not outcome.raised
    assert all(np.array_equal(x, opened) for opened in outcome.answers.values())


@pytest.mark.parametrize("liar", MATCHERS)
def test_who_opens_something_else_is_caught_when_all_is_compared(liar: str) -> None:
    for seed in range(20):
        dealer = Dealer(seed)
        shared, masks, size = dealer.shared(dealer.bits((3,))), dealer.masks(), 24
        dialogues = {name: _open(Gates(Seat(name), masks[name]), shared[name], dealer) for name in MATCHERS}
        at = int(dealer.generator.integers(size))

        def flip(number: int, payload: bytes, at: int = at) -> bytes:
            return payload if number else payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]

        lied = changing(dialogues[liar], lambda number, message: flip(number, message.payload))
        outcome = play({**dialogues, liar: lied}, last=liar)

        assert PeerCheated is type(outcome.raised[Seat(liar).before])


def _require_zero(gates: Gates, plane: Shared, dealer: Dealer) -> Dialogue[None]:
    gates.require_zero(plane)
    yield from gates.agreement.settle(gates.seat, random_bytes=dealer.octets)


@pytest.mark.parametrize(("word", "is_caught"), [(0, False), (1, True), (1 << 63, True)])
def test_zero_is_told_from_anything_else_without_being_opened(word: int, is_caught: bool) -> None:
    for seed in range(20):
        dealer = Dealer(seed)
        plane, masks = np.zeros(9, np.uint64), dealer.masks()
        plane[seed % 9] = word
        shared = dealer.shared(plane)

        outcome = play({name: _require_zero(Gates(Seat(name), masks[name]), shared[name], dealer) for name in MATCHERS})

        caught = {PeerCheated} if is_caught else set()
        assert caught == {type(exc) for exc in outcome.raised.values()}


def test_random_bits_are_shared_and_nobody_s() -> None:
    dealer = Dealer(6)
    masks = dealer.masks()

    shares = {name: Gates(Seat(name), masks[name]).random(20) for name in MATCHERS}

    assert _joined(shares).all()
    assert len({*_joined(shares).tolist()}) == 20


def test_share_of_a_wrong_length_is_refused() -> None:
    dealer = Dealer(8)
    x, masks = dealer.shared(dealer.bits((4,))), dealer.masks()
    dialogues = {name: Gates(Seat(name), masks[name]).multiply(x[name], x[name]) for name in MATCHERS}

    outcome = play({**dialogues, "c": changing(dialogues["c"], lambda _, message: message.payload + b"\0")})

    assert {"b": EnvelopeInvalid} == {name: type(exc) for name, exc in outcome.raised.items()}
