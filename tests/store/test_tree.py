"""
Promise that every step of a ledger is in its tree, however it was booked, and that what was signed cannot be changed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import BodyInvalid, InvariantBroken, NotFound, ProofInvalid, StoreCorrupt
from handsel.ids import new_id
from handsel.pay.ledger import Capture, Linked, Release, Transfer
from handsel.proof.head import SignedHead, verify_growth
from handsel.proof.receipt import verify_receipt
from handsel.proof.statement import ProvedStatement, verify_statement
from handsel.store import ledger, tree, tree_check
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.ledger_writer import LedgerWriter
from handsel.store.tree import Tree
from handsel.store.tree_check import check_tree
from handsel.store.tree_leaves import hash_of_row, leaf_of, rows_after
from handsel.store.tree_schema import TREE_SCHEMA
from tests.proof.test_merkle import over_hashes
from tests.store.old_ledger import fill_old_ledger
from tests.store.small_ledger import FUNDS, NOTES, WALLET, capture, expire, move, open_ledger, post, release, reserve

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SCHEMAS = (LEDGER_SCHEMA, TREE_SCHEMA)


@pytest.fixture
def opened(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    A ledger with a source, an empty wallet and an empty middle account.
    """
    database = filled(tmp_path)
    yield database
    database.close()


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[Database]:
    """
    The same in a file, to be tampered with.
    """
    database = filled(tmp_path)
    yield database
    database.close()


def filled(directory: Path) -> Database:
    database = Database.open(directory / "party" / "ledger.sqlite", schemas=SCHEMAS)
    with database.unit_of_work() as uow:
        for account in (FUNDS, WALLET, NOTES):
            ledger.open_account(uow, account, now_ms=0)
        uow.commit()
    return database


def planted(database: Database) -> Tree:
    return Tree(database, KEY, party="issuer", clock=lambda: 7)


def every_kind_of_step(database: Database) -> None:
    """
    Book in both ways, and leave nothing out: what is reserved, given back, refused, linked.
    """
    post(database, move(100))
    taken, back, late = (move(10, debit=WALLET, credit=NOTES) for _ in range(3))
    for each in (taken, back, late):
        reserve(database, each)
    capture(database, Capture(new_id(), taken.id, taken.money))
    release(database, Release(new_id(), back.id))
    expire(database, 2000)
    post(database, move(999, debit=WALLET, credit=NOTES))
    release(database, Release(new_id(), new_id()))
    writer = LedgerWriter(database, clock=lambda: 3000)
    at_once = Transfer(new_id(), FUNDS.id, WALLET.id, move(5).money, "top_up", happened_at_ms=0)
    writer.submit([move(1), Linked((move(2), at_once)), Linked((move(3), move(999, debit=WALLET, credit=NOTES)))])
    writer.close()


def test_every_step_is_a_leaf_whichever_way_it_was_booked(opened: Database) -> None:
    every_kind_of_step(opened)
    grown = planted(opened)

    assert grown.grow()
    assert not grown.grow()

    head = grown.head().verify(grown.public)
    with opened.unit_of_work() as uow:
        rows = rows_after(uow, 0, limit=100)
        count = uow.row("SELECT COUNT(*) FROM transfers")
        secret = tree.load_secret(uow)
    assert secret is not None
    assert count == (head.size,) == (len(rows),) == (14,)
    assert {row.kind for row in rows} == {"post", "reserve", "capture", "release", "expire"}
    assert [leaf_of(row, secret).hash() for row in rows] == [hash_of_row(row, secret) for row in rows]
    hashes = [hash_of_row(row, secret) for row in rows]
    assert len(set(hashes)) == len(hashes)
    assert check_tree(opened, grown.public) == ()


def test_it_grows_by_parts_into_what_it_would_be_at_once(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "LEAVES_MAX", 3)
    grown = planted(opened)
    heads = [] if grown.grow() else list[SignedHead]()
    for _ in range(4):
        every_kind_of_step(opened)
        while grown.grow():
            heads.append(grown.head())

    with opened.unit_of_work() as uow:
        rows = rows_after(uow, 0, limit=1000)
        secret = tree.load_secret(uow) or b""
        hashes = [hash_of_row(row, secret) for row in rows]
    for each in heads:
        assert each.head.root == over_hashes(hashes)(0, each.head.size)
    for older, newer in pairwise(heads):
        proof = grown.growth(first=older.head.size, second=newer.head.size)
        verify_growth(older, newer, proof, key=grown.public)


def test_there_is_one_head_of_a_size_ever(opened: Database) -> None:
    every_kind_of_step(opened)
    grown, again = planted(opened), Tree(opened, KEY, party="issuer", clock=lambda: 99)
    grown.grow()
    first = grown.head()

    assert not again.grow()
    assert again.head() == first
    for change in (
        "UPDATE tree_heads SET at_ms = 99",
        "DELETE FROM tree_heads",
        "INSERT INTO tree_heads SELECT size, root, 99, signature FROM tree_heads",
    ):
        with pytest.raises(InvariantBroken), opened.unit_of_work() as uow:
            uow.execute(change)


def test_a_statement_holds_all_entries_and_a_receipt_its_one(opened: Database) -> None:
    moves = [move(minor) for minor in range(1, 8)]
    for each in moves:
        post(opened, each)
        post(opened, move(1, debit=FUNDS, credit=NOTES))
    post(opened, move(4, debit=WALLET, credit=NOTES))
    grown = planted(opened)

    whole = verify_statement(grown.statement(WALLET.id), key=grown.public)
    part = verify_statement(grown.statement(WALLET.id, after=2, limit=3), key=grown.public)
    paid = verify_receipt(grown.receipt(moves[3].id), key=grown.public)

    assert (whole.first, whole.last, whole.opening_minor, whole.closing_minor) == (1, 8, 0, 24)
    assert (part.first, part.last, part.opening_minor, part.closing_minor) == (3, 5, 3, 15)
    assert (paid.leaf.amount_minor, paid.credited, paid.leaf.currency) == (4, WALLET.id, "EUR")
    for ask in (lambda: grown.receipt(new_id()), lambda: grown.statement(WALLET.id, after=8)):
        with pytest.raises(NotFound):
            ask()


def paid_out(database: Database, minor: int) -> Transfer:
    """
    Order a sum of the wallet's to be paid out.
    """
    ordered = Transfer(new_id(), WALLET.id, FUNDS.id, move(minor).money, "pay_out")
    reserve(database, ordered)
    return ordered


def test_a_payout_is_shown_with_all_that_it_pays_out(filed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = planted(filed)
    moves = [move(minor) for minor in (5, 7, 20, 30, 9)]
    ids = [each.id for each in moves]
    for each in moves[:2]:
        post(filed, each)
    orders = [paid_out(filed, 12)]
    post(filed, moves[2])
    captures = [Capture(new_id(), orders[0].id, orders[0].money)]
    capture(filed, captures[0])
    post(filed, moves[3])
    orders.append(paid_out(filed, 50))
    captures.append(Capture(new_id(), orders[1].id, orders[1].money))
    capture(filed, captures[1])
    post(filed, moves[4])
    before = [each.id for each in orders]

    def shown(place: int, contained: list[str]) -> ProvedStatement:
        statement = grown.payout(WALLET.id, payout_id=captures[place].id, contained=contained, before=before)
        return verify_statement(statement, key=grown.public)

    for place, contained, ends in ((0, ids[:2], (1, 4)), (1, ids[2:4], (3, 6))):
        proved = shown(place, contained)
        assert (proved.first, proved.last) == ends
        assert proved.payout is not None
        assert (proved.payout.contained, proved.payout.left_out) == (frozenset(contained), ())
    with pytest.raises(ProofInvalid, match="does not come to its amount"):
        shown(1, [ids[0], *ids[2:4]])
    with pytest.raises(NotFound):
        grown.payout(WALLET.id, payout_id=new_id(), contained=ids, before=before)
    with pytest.raises(NotFound):
        grown.payout(WALLET.id, payout_id=ids[0], contained=ids, before=before)
    monkeypatch.setattr(tree, "LINES_MAX", 3)
    with pytest.raises(BodyInvalid, match="more than 3"):
        shown(1, ids[1:4])


def test_what_was_refused_has_no_receipt(opened: Database) -> None:
    refused = move(999, debit=WALLET, credit=NOTES)
    post(opened, refused)

    with pytest.raises(NotFound):
        planted(opened).receipt(refused.id)


def test_an_empty_ledger_has_no_head(opened: Database) -> None:
    grown = planted(opened)

    assert not grown.grow()
    with pytest.raises(NotFound):
        grown.head()
    with pytest.raises(NotFound):
        grown.growth(first=1, second=1)
    assert check_tree(opened, grown.public) == ()


def test_only_sizes_that_there_are_are_compared(opened: Database) -> None:
    every_kind_of_step(opened)
    grown = planted(opened)
    grown.grow()

    for first, second in ((0, 5), (6, 5), (1, 15)):
        with pytest.raises(BodyInvalid):
            grown.growth(first=first, second=second)


TAMPERED = [
    ("UPDATE transfers SET amount_minor = 99 WHERE sequence = 1", "step 1 is not what was signed"),
    ("UPDATE transfers SET code = 'gift' WHERE sequence = 2", "step 2 is not what was signed"),
    ("UPDATE transfers SET kind = 'gift' WHERE sequence = 2", "step 2 is not what was signed"),
    ("UPDATE transfers SET amount_minor = -5 WHERE sequence = 2", "step 2 is not what was signed"),
    ("UPDATE transfers SET code = 'für' WHERE sequence = 2", "step 2 is not what was signed"),
    ("DELETE FROM refused", "step 8 is not what was signed"),
    ("UPDATE transfers SET kind = 'post' WHERE sequence = 8", "step 8 is not what was signed"),
    ("UPDATE transfers SET at_ms = 5 WHERE sequence = 3", "step 3 is not what was signed"),
    ("UPDATE transfers SET credit_balance_minor = 1 WHERE sequence = 1", "step 1 is not what was signed"),
    ("UPDATE transfers SET credit_number = 2 WHERE sequence = 1", "step 1 is not what was signed"),
    ("UPDATE transfers SET credit = 3 WHERE sequence = 1", "step 1 is not what was signed"),
    ("UPDATE transfers SET credit = 33 WHERE sequence = 1", "step 1 is not what was signed"),
    ("UPDATE refused SET amount_minor = 1 WHERE amount_minor = 999", "step 8 is not what was signed"),
    ("UPDATE refused SET refusal = 'account_closed'", "step 8 is not what was signed"),
    ("UPDATE accounts SET id = 'wallet:b' WHERE id = 'wallet:a'", "step 1 is not what was signed"),
    ("DELETE FROM transfers WHERE sequence = 5", "step 5 of the ledger is missing"),
    ("DELETE FROM transfers WHERE sequence = 14", "step 14 of the ledger is missing"),
    ("UPDATE tree_secret SET secret = ?", "step 1 is not what was signed"),
    ("UPDATE tree_tiles SET hashes = ?", "the hash of step 1 in the tree was changed"),
    ("DELETE FROM tree_tiles", "the hash of step 14 in the tree was changed"),
    ("UPDATE tree_heads SET root = ?", "the head of size 14 is not signed with this key"),
    ("UPDATE tree_heads SET at_ms = 8", "the head of size 14 is not signed with this key"),
]


@pytest.mark.parametrize(("change", "finding"), TAMPERED)
def test_whatever_is_changed_behind_the_ledgers_back_is_named(filed: Database, change: str, finding: str) -> None:
    every_kind_of_step(filed)
    grown = planted(filed)
    grown.grow()

    tamper(filed, change)

    assert finding in check_tree(filed, grown.public)


def test_between_two_heads_the_one_that_covers_a_step_decides(filed: Database) -> None:
    grown = planted(filed)
    for _ in range(3):
        for _ in range(3):
            post(filed, move(1))
        grown.grow()

    tamper(filed, "UPDATE transfers SET at_ms = 9 WHERE sequence = 5")

    assert check_tree(filed, grown.public) == (
        "the head of size 6 does not fit: of steps 4 to 6, one was changed",
        "step 5 is not what was signed",
    )


def test_a_ledger_that_goes_on_meanwhile_is_checked_all_the_same(
    filed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = planted(filed)
    post(filed, move(1))
    grown.grow()
    compare = tree_check._Check._compare_head

    def compare_while_others_book(check: tree_check._Check, signed: SignedHead) -> None:
        post(filed, move(1))
        grown.grow()
        compare(check, signed)

    monkeypatch.setattr(tree_check._Check, "_compare_head", compare_while_others_book)

    findings = check_tree(filed, grown.public)

    assert findings == ()
    assert grown.head().head.size == 2


def test_what_was_changed_is_not_built_upon(filed: Database) -> None:
    every_kind_of_step(filed)
    grown = planted(filed)
    grown.grow()
    tamper(filed, "UPDATE tree_tiles SET hashes = ?")
    post(filed, move(1))

    with pytest.raises((StoreCorrupt, InvariantBroken)):
        grown.grow()
    assert grown.head().head.size == 14


def test_a_row_that_is_no_step_is_not_taken_in(filed: Database) -> None:
    post(filed, move(1))
    tamper(filed, "UPDATE transfers SET kind = 'gift'")

    with pytest.raises(StoreCorrupt, match="step 1"):
        planted(filed).grow()


def test_a_changed_step_is_not_proved_any_more(filed: Database) -> None:
    moves = [move(minor) for minor in (5, 6, 7)]
    for each in moves:
        post(filed, each)
    grown = planted(filed)
    grown.grow()
    tamper(filed, "UPDATE transfers SET amount_minor = 60 WHERE sequence = 2")

    with pytest.raises(ProofInvalid):
        verify_receipt(grown.receipt(moves[1].id), key=grown.public)
    with pytest.raises(ProofInvalid):
        verify_statement(grown.statement(WALLET.id), key=grown.public)
    assert verify_receipt(grown.receipt(moves[2].id), key=grown.public).leaf.amount_minor == 7


def test_a_past_that_was_rewritten_with_the_true_key_does_not_fit_an_earlier_head(filed: Database) -> None:
    """
    The party itself can sign anything; a head that somebody else has kept convicts it.
    """
    for minor in (5, 6, 7):
        post(filed, move(minor))
    grown = planted(filed)
    grown.grow()
    kept, proof = grown.head(), grown.receipt(new_posted(filed))
    tamper(filed, "UPDATE transfers SET amount_minor = 60 WHERE sequence = 2")
    with filed.unit_of_work() as uow:
        uow.execute("DROP TRIGGER tree_heads_are_not_deleted")
        uow.execute("DELETE FROM tree_heads")
        uow.execute("DELETE FROM tree_tiles")
        uow.commit()
    anew = planted(filed)
    anew.grow()

    assert check_tree(filed, anew.public) == ()
    for older in (kept, proof.head):
        newer = anew.head()
        growth = anew.growth(first=older.head.size, second=newer.head.size)
        with pytest.raises(ProofInvalid):
            verify_growth(older, newer, growth, key=anew.public)


def new_posted(database: Database) -> str:
    made = move(1)
    post(database, made)
    return made.id


def tamper(database: Database, change: str) -> None:
    """
    Do what whoever has the database could do.
    """
    drop_triggers(database)
    with database.unit_of_work() as uow:
        assert uow.execute(change, *((b"\1" * 32,) if "?" in change else ())) > 0
        uow.commit()


def drop_triggers(database: Database) -> None:
    refusing = ("refused_is_not_changed", "refused_is_not_deleted")
    with database.unit_of_work() as uow:
        for name in ("transfers_are_not_changed", "transfers_are_not_deleted", *refusing, "tree_heads_are_not_changed"):
            uow.execute(f"DROP TRIGGER {name}")
        uow.commit()


def test_what_follows_from_the_steps_is_audited(filed: Database) -> None:
    """
    What no leaf holds, since it can be found again: where the entry before is, milestones, what a refusal has not.
    """
    for _ in range(70):
        post(filed, move(1))
    post(filed, move(999, debit=WALLET, credit=NOTES))
    changes = (
        "UPDATE transfers SET credit_previous = 1 WHERE sequence = 9",
        "UPDATE transfers SET debit_previous = 0 WHERE sequence = 9",
        "UPDATE transfers SET credit_number = 7 WHERE sequence = 9",
        "UPDATE milestones SET sequence = 63",
        "UPDATE milestones SET at_ms = 1",
        "DELETE FROM milestones",
        "UPDATE transfers SET amount_minor = 1 WHERE sequence = 71",
        "DELETE FROM refused",
        "UPDATE pending SET state = 'held'",
    )
    reserved = move(1, debit=WALLET, credit=NOTES)
    reserve(filed, reserved)
    release(filed, Release(new_id(), reserved.id))
    drop_triggers(filed)
    for change in changes:
        with filed.unit_of_work() as uow:
            ledger.audit(uow)
            assert uow.execute(change) > 0
            with pytest.raises(InvariantBroken):
                ledger.audit(uow)


def test_an_old_ledger_is_taken_in_from_its_first_step(tmp_path: Path) -> None:
    path = tmp_path / "party" / "ledger.sqlite"
    fill_old_ledger(path)
    database = Database.open(path, schemas=SCHEMAS)
    grown = planted(database)
    grown.grow()

    proved = verify_statement(grown.statement(WALLET.id), key=grown.public)

    assert (proved.first, proved.last, proved.closing_minor) == (1, 101, 450)
    with database.unit_of_work() as uow:
        ledger.audit(uow)
    database.close()


KILLED = """
import sys, threading
from pathlib import Path
from tests.store.small_ledger import move
from tests.store.test_tree import SCHEMAS, planted
from handsel.store.database import Database
from handsel.store.ledger_writer import LedgerWriter
database = Database.open(Path(sys.argv[1]), schemas=SCHEMAS)
writer, grown = LedgerWriter(database, clock=lambda: 0), planted(database)
def grow():
    while True:
        if grown.grow():
            print(grown.head().head.size, flush=True)
threading.Thread(target=grow, daemon=True).start()
while True:
    writer.submit([move(1) for _ in range(100)])
"""


def test_heads_that_were_told_stand_after_a_kill_under_load(tmp_path: Path) -> None:
    path = tmp_path / "party" / "ledger.sqlite"
    open_ledger(path.parent).close()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as running:
        assert running.stdout is not None
        told = [int(running.stdout.readline()) for _ in range(5)]
        os.kill(running.pid, signal.SIGKILL)

    database = Database.open(path, schemas=SCHEMAS)
    grown = planted(database)
    before = grown.head()
    assert before.head.size >= told[-1]
    assert check_tree(database, grown.public) == ()
    while grown.grow():
        pass
    post(database, move(1))
    assert grown.grow()
    newer = grown.head()
    verify_growth(before, newer, grown.growth(first=before.head.size, second=newer.head.size), key=grown.public)
    assert check_tree(database, grown.public) == ()
    database.close()
