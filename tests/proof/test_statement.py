"""
Promise that a statement that verifies holds every entry of its account between two points, and nothing else.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.errors import ProofInvalid, SignatureInvalid
from handsel.proof.statement import Statement, missing_payments, verify_statement
from tests.proof.small_book import OTHER, PUBLIC, Book


@pytest.fixture
def book() -> Book:
    """
    Three payments, a refund and a pay-out, with others' steps between them.
    """
    made = Book()
    for minor in (500, 700, 300):
        made.add(minor)
        made.add_of_others()
    made.add(-200, code="refund")
    made.add(-1300, code="payout")
    made.add_of_others()
    return made


def test_a_whole_statement_says_what_there_is(book: Book) -> None:
    proved = verify_statement(book.statement(), key=PUBLIC)

    assert (proved.first, proved.last, proved.opening_minor, proved.closing_minor) == (1, 5, 0, 0)
    assert proved.by_code == {"payment": 1500, "refund": -200, "payout": -1300}
    assert (proved.currency, proved.head.size) == ("EUR", 9)


def test_a_part_says_where_it_begins(book: Book) -> None:
    proved = verify_statement(book.statement(book.mine[1:4]), key=PUBLIC)

    assert (proved.first, proved.last, proved.opening_minor, proved.closing_minor) == (2, 4, 500, 1300)


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_an_entry_that_is_kept_back_leaves_a_hole(book: Book, hidden: int) -> None:
    shown = [line for place, line in enumerate(book.mine) if place != hidden]

    with pytest.raises(ProofInvalid, match=f"entry {hidden + 1} of the account is not in the statement"):
        verify_statement(book.statement(shown), key=PUBLIC)


def test_a_hole_cannot_be_numbered_away() -> None:
    """
    A party that leaves a payment out from the start, and numbers on, is caught by the balances, or by the shop's list.
    """
    book = Book()
    book.add(500)
    book.add(700)
    book.mine.pop()
    book.add(300, number=2)

    with pytest.raises(ProofInvalid, match="does not leave what it should"):
        verify_statement(book.statement(), key=PUBLIC)


def test_payments_of_the_merchants_own_list_are_found_or_named(book: Book) -> None:
    ids = [line.leaf.id for line in book.mine[:3]]
    statement = book.statement()
    verify_statement(statement, key=PUBLIC)

    assert missing_payments(statement, dict(zip(ids, (500, 700, 300), strict=True))) == ()
    assert missing_payments(statement, {ids[0]: 501, "ff" * 16: 1, ids[1]: 700}) == (ids[0], "ff" * 16)
    assert missing_payments(statement, {book.mine[3].leaf.id: 200}) == (book.mine[3].leaf.id,)


def test_whatever_is_changed_is_noticed(book: Book) -> None:
    good = book.statement()
    line = good.lines[1]
    leaf = line.leaf
    replaced = msgspec.structs.replace
    wrong = [
        replaced(line, leaf=replaced(leaf, amount_minor=701)),
        replaced(line, leaf=replaced(leaf, at_ms=1)),
        replaced(line, leaf=replaced(leaf, kind="reserve")),
        replaced(line, leaf=replaced(leaf, refusal="account_closed")),
        replaced(line, side="debit"),
        replaced(line, side="both"),
        replaced(line, account_nonce=bytes(16)),
        replaced(line, running=replaced(line.running, balance_minor=1)),
        good.lines[0],
    ]
    statements: list[Statement] = [
        *(replaced(good, lines=(good.lines[0], each, *good.lines[2:])) for each in wrong),
        replaced(good, account=OTHER),
        replaced(good, lines=()),
        replaced(good, lines=tuple(reversed(good.lines))),
        replaced(good, hashes=good.hashes[:-1]),
        replaced(good, hashes=(*good.hashes, bytes(32))),
        replaced(good, format="handsel/v2/statement"),
    ]
    for statement in statements:
        with pytest.raises(ProofInvalid):
            verify_statement(statement, key=PUBLIC)
    with pytest.raises(SignatureInvalid):
        verify_statement(replaced(good, head=replaced(good.head, signature=bytes(64))), key=PUBLIC)


def test_a_statement_goes_through_json(book: Book) -> None:
    sent = msgspec.json.encode(book.statement())

    assert msgspec.json.decode(sent, type=Statement) == book.statement()
    assert verify_statement(msgspec.json.decode(sent, type=Statement), key=PUBLIC).last == 5


def test_reprs_tell_nothing(book: Book) -> None:
    assert (repr(book.statement()), repr(book.mine[0])) == ("Statement()", "StatementLine()")
