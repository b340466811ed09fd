"""
What is downloaded is checked without anybody's help: by files alone, and what is wrong is named.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from handsel.cli.main import main
from handsel.pay.payment import booking_of
from handsel.proof.head import GrowthProof
from handsel.proof.merkle import prove_consistency
from tests.proof.small_book import PUBLIC, SHOP, Book

PAYMENTS = ["aa" * 16, "bb" * 16, "cc" * 16]


def book_of(*minors: int) -> Book:
    book = Book()
    for payment_id, minor in zip(PAYMENTS, minors, strict=False):
        book.add(minor, step=booking_of(payment_id, currency="EUR"))
        book.add_of_others()
    return book


def saved(path: Path, content: msgspec.Struct) -> str:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    return str(path)


@pytest.fixture
def key(tmp_path: Path) -> list[str]:
    """
    The option that names the acquirer's public key.
    """
    return ["--key", saved(tmp_path / "tree.pub", PUBLIC)]


def test_a_receipt_is_checked_and_what_is_not_proved_is_said(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    book = book_of(450, 700)
    proof = saved(tmp_path / "proof.json", book.receipt(book.mine[0]))

    assert main(["verify-receipt", proof, *key]) == 0

    said = capsys.readouterr().out
    assert "4.50 EUR" in said
    assert SHOP in said
    assert "Not proved: who paid" in said


def test_a_receipt_that_was_changed_is_refused(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    book = book_of(450, 700)
    proof = book.receipt(book.mine[0])
    changed = msgspec.structs.replace(proof, leaf=msgspec.structs.replace(proof.leaf, amount_minor=451))

    assert main(["verify-receipt", saved(tmp_path / "proof.json", changed), *key]) == 76
    assert capsys.readouterr().out == ""


def test_a_statement_is_held_against_ones_own_list(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    statement = saved(tmp_path / "statement.json", book_of(450, 700).statement())
    mine = tmp_path / "mine.csv"
    asked = ["verify-statement", statement, *key, "--payments", str(mine)]

    mine.write_text(f"{PAYMENTS[0]},450\n{PAYMENTS[1]}, 700\n")
    assert main(asked) == 0
    assert "All 2 payments of your list, 11.50 EUR together" in capsys.readouterr().out

    mine.write_text(f"{PAYMENTS[0]},450\n{PAYMENTS[1]},701\n{PAYMENTS[2]},1\n")
    assert main(asked) == 1
    said = capsys.readouterr().out
    assert f"MISSING, or of another amount: payment {PAYMENTS[1]}" in said
    assert f"payment {PAYMENTS[2]}" in said
    assert f"payment {PAYMENTS[0]}" not in said


@pytest.mark.parametrize("rows", ["", "x,1\n", "aa,1\n", "only one\n", f"{'aa' * 16},-1\n", f"{'aa' * 16},1\n" * 2])
def test_a_list_that_is_none_proves_nothing(tmp_path: Path, key: list[str], rows: str) -> None:
    statement = saved(tmp_path / "statement.json", book_of(450).statement())
    (tmp_path / "mine.csv").write_text(rows)

    assert main(["verify-statement", statement, *key, "--payments", str(tmp_path / "mine.csv")]) == 65


def test_a_statement_must_go_on_where_the_last_one_ended(tmp_path: Path, key: list[str]) -> None:
    book = book_of(450, 700, 300)
    parts = [saved(tmp_path / f"{at}.json", book.statement(book.mine[at : at + 1])) for at in range(3)]

    assert main(["verify-statement", parts[1], *key, "--previous", parts[0]]) == 0
    assert main(["verify-statement", parts[2], *key, "--previous", parts[0]]) == 76


def test_a_payment_that_is_booked_as_a_pay_out_is_missed_by_whoever_has_a_list(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    book = book_of(450)
    book.add(700, code="pay_out_returned", step=booking_of(PAYMENTS[1], currency="EUR"))
    ordered = book.reserve(450)
    book.pay_out(ordered)
    statement = saved(tmp_path / "statement.json", book.payout(ordered, book.mine[:1]))
    mine = tmp_path / "mine.csv"
    mine.write_text(f"{PAYMENTS[0]},450\n{PAYMENTS[1]},700\n")

    assert main(["verify-statement", statement, *key]) == 0
    assert main(["verify-statement", statement, *key, "--payments", str(mine)]) == 1
    assert f"MISSING, or of another amount: payment {PAYMENTS[1]}" in capsys.readouterr().out


def test_a_line_does_not_borrow_the_name_of_a_payment(tmp_path: Path, key: list[str]) -> None:
    statement = book_of(450, 700).statement()
    for payment_id, status in ((PAYMENTS[0], 0), (PAYMENTS[1], 76)):
        named = msgspec.structs.replace(statement.lines[0], payment_id=payment_id)
        shown = msgspec.structs.replace(statement, lines=(named, *statement.lines[1:]))
        assert main(["verify-statement", saved(tmp_path / "s.json", shown), *key]) == status


def test_two_heads_are_compared_wherever_they_come_from(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    book = book_of(450)
    older = saved(tmp_path / "older.json", book.receipt(book.mine[0]))
    book.add(700)
    newer = saved(tmp_path / "newer.json", book.head())
    growth = GrowthProof(2, 3, prove_consistency(book.hash_of(), 2, 3))
    proof = ["--proof", saved(tmp_path / "growth.json", growth)]

    assert main(["verify-log", older, newer, *key, *proof]) == 0
    assert main(["verify-log", newer, older, *key, *proof]) == 0
    assert "begins with the one signed by the acquirer" in capsys.readouterr().out
    assert main(["verify-log", older, newer, *key]) == 1
    assert "/v1/tree_consistency?first=2&second=3" in capsys.readouterr().out


def test_a_party_that_contradicts_itself_is_convicted(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    one = saved(tmp_path / "one.json", book_of(450).head())
    other = saved(tmp_path / "other.json", book_of(451).head())

    assert main(["verify-log", one, other, *key]) == 1
    assert "one of them is a lie" in capsys.readouterr().out


def test_files_that_are_something_else_are_said_to_be(
    tmp_path: Path, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = saved(tmp_path / "other.json", PUBLIC)

    for verb in (["verify-receipt", other], ["verify-statement", other], ["verify-log", other, other]):
        assert main([*verb, *key]) == 65
    assert main(["verify-receipt", str(tmp_path / "nothing.json"), *key]) == 66
    assert main(["verify-receipt", other, "--key", str(tmp_path / "nothing.pub")]) == 66
    assert capsys.readouterr().out == ""
