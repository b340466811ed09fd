"""
Promise that the statement of a pay-out shows every payment since the last, and that one which does not is noticed.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from handsel.errors import ProofInvalid
from handsel.proof.statement import (
    ProvedStatement,
    Reserved,
    Statement,
    StatementLine,
    require_follows,
    verify_statement,
)
from tests.proof.small_book import OTHER, PUBLIC, Book

replaced = msgspec.structs.replace


class Shop:
    """
    Two payments and a refund, which are paid out; a payment between order and pay-out; two more, which the next pays.
    """

    def __init__(self) -> None:
        self.book = book = Book()
        self.first = [book.add(500), book.add(700), book.add(-200, code="refund")]
        book.add_of_others()
        self.ordered = book.reserve(1000)
        self.late = book.add(300)
        self.paid = book.pay_out(self.ordered)
        self.second = [self.late, book.add(40)]
        self.ordered_again = book.reserve(340)
        book.add_of_others()
        self.paid_again = book.pay_out(self.ordered_again)

    def one(self) -> Statement:
        return self.book.payout(self.ordered, self.first, self.book.mine[:5])

    def two(self) -> Statement:
        return self.book.payout(self.ordered_again, self.second, self.book.mine[3:])


@pytest.fixture
def shop() -> Shop:
    return Shop()


def proved(statement: Statement) -> ProvedStatement:
    return verify_statement(statement, key=PUBLIC)


def ids(lines: list[StatementLine]) -> frozenset[str]:
    return frozenset(line.leaf.id for line in lines)


def test_a_payout_is_all_that_there_was_when_it_was_ordered(shop: Shop) -> None:
    one, two = proved(shop.one()), proved(shop.two())

    assert one.payout is not None and two.payout is not None
    assert (one.payout.amount_minor, one.payout.ordered_after, one.payout.left_out) == (1000, 3, ())
    assert one.payout.contained == ids(shop.first)
    assert (two.payout.amount_minor, two.payout.ordered_after, two.payout.left_out) == (340, 6, ())
    assert two.payout.other_payouts == ids([shop.paid])
    assert proved(shop.book.statement()).payout is None


def test_a_payment_that_is_not_paid_out_is_named(shop: Shop) -> None:
    book = Book()
    lines = [book.add(500), book.add(700)]
    ordered = book.reserve(500)
    book.pay_out(ordered)

    found = proved(book.payout(ordered, lines[:1])).payout

    assert found is not None
    assert found.left_out == (lines[1].leaf.id,)


def test_two_payouts_follow_each_other_without_a_gap(shop: Shop) -> None:
    whole = proved(shop.book.payout(shop.ordered_again, shop.second))
    one, two = proved(shop.one()), proved(shop.two())
    assert whole.payout is not None
    assert frozenset(whole.payout.left_out) == ids(shop.first)

    for later in (whole, two):
        followed = require_follows(later, one).payout
        assert followed is not None and followed.left_out == ()
    for after, before in ((one, two), (two, proved(shop.book.statement())), (proved(shop.book.statement()), one)):
        with pytest.raises(ProofInvalid):
            require_follows(after, before)


def test_what_lies_between_two_payouts_and_is_in_none_is_a_gap(shop: Shop) -> None:
    book = Book()
    first = book.add(500)
    ordered = book.reserve(500)
    book.pay_out(ordered)
    book.add(700)
    third = book.add(300)
    again = book.reserve(300)
    book.pay_out(again)

    one, two = proved(book.payout(ordered, [first], book.mine[:2])), proved(book.payout(again, [third], book.mine[3:]))

    assert two.payout is not None and two.payout.left_out == ()
    with pytest.raises(ProofInvalid, match="does not go on after entry 1"):
        require_follows(two, one)


def test_nothing_is_paid_out_twice(shop: Shop) -> None:
    book = Book()
    first = book.add(500)
    ordered = book.reserve(500)
    book.pay_out(ordered)
    book.add(500)
    again = book.reserve(500)
    book.pay_out(again)

    one, two = proved(book.payout(ordered, [first], book.mine[:2])), proved(book.payout(again, [first]))

    with pytest.raises(ProofInvalid, match="both"):
        require_follows(two, one)


WRONG: dict[str, Callable[[Shop, Statement], Statement]] = {
    "another line is the last": lambda shop, good: shop.book.payout(shop.ordered, shop.first, shop.book.mine[:4]),
    "another step paid out": lambda shop, good: replaced(good, payout_id=shop.late.leaf.id),
    "no step reserved": lambda shop, good: replaced(good, reserved=None),
    "another step reserved": lambda shop, good: shop.book.payout(shop.ordered_again, shop.first, shop.book.mine[:5]),
    "the step reserved of another account": lambda shop, good: replaced(
        good, reserved=Reserved(shop.ordered.leaf, bytes(16))
    ),
    "nothing is contained": lambda shop, good: replaced(good, contained=()),
    "less is contained": lambda shop, good: replaced(good, contained=good.contained[:2]),
    "something is contained twice": lambda shop, good: replaced(good, contained=(*good.contained, good.contained[0])),
    "something unknown is contained": lambda shop, good: replaced(good, contained=(*good.contained[:2], "f" * 32)),
    "what came later is contained": lambda shop, good: replaced(good, contained=(*good.contained, shop.late.leaf.id)),
    "a line is missing": lambda shop, good: replaced(good, lines=(*good.lines[:1], *good.lines[2:])),
    "it is said of no pay-out": lambda shop, good: replaced(good, payout_id=""),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_whatever_is_changed_is_noticed(shop: Shop, change: Callable[[Shop, Statement], Statement]) -> None:
    proved(shop.one())

    with pytest.raises(ProofInvalid):
        proved(change(shop, shop.one()))


@pytest.mark.parametrize("taken", [999, 1001])
def test_a_payout_of_another_amount_than_was_reserved_is_none(taken: int) -> None:
    book = Book()
    first = book.add(1000)
    book.add(100)
    ordered = book.reserve(1000)
    book.pay_out(ordered, taken)

    with pytest.raises(ProofInvalid, match="another amount"):
        proved(book.payout(ordered, [first]))


def test_what_was_reserved_elsewhere_pays_nothing_out() -> None:
    book = Book()
    first = book.add(1000)
    ordered = book.reserve(1000, account=OTHER)
    book.pay_out(ordered)

    with pytest.raises(ProofInvalid, match="of its account"):
        proved(book.payout(ordered, [first]))


def test_reprs_tell_nothing(shop: Shop) -> None:
    assert repr(shop.ordered) == "Reserved()"
