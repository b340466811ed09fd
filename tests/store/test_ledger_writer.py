"""
Promise that grouped callers get answers of their own, that what was answered is on disk, and that queues are bounded.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handsel.errors import BodyInvalid, InvariantBroken, StoreError, StoreFull
from handsel.ids import new_id
from handsel.pay.account import wallet_account
from handsel.pay.ledger import Capture, Done, Linked, Outcome, Refusal, Refused, Reservation, Transfer
from handsel.pay.money import Money
from handsel.store import ledger, ledger_writer
from handsel.store.database import Database
from handsel.store.ledger_batch import PART_ITEMS, carry_out
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.ledger_writer import CALL_ITEMS_MAX, LedgerWriter
from tests.store.small_ledger import EXPIRES_AT_MS, FUNDS, NOTES, WALLET, move, open_ledger, post, standing


@pytest.fixture
def opened(tmp_path: Path, engine: str) -> Iterator[Database]:
    """
    A ledger with a source, an empty wallet and an empty middle account.
    """
    database = open_ledger(tmp_path / "party")
    yield database
    database.close()


@pytest.fixture
def writer(opened: Database) -> Iterator[LedgerWriter]:
    """
    A writer of that ledger.
    """
    made = LedgerWriter(opened, clock=lambda: 0)
    yield made
    made.close()


def test_each_caller_gets_the_answers_to_what_it_asked(opened: Database, writer: LedgerWriter) -> None:
    """
    Sixteen callers at once; each funds a wallet of its own, spends from it, and asks for too much.
    """
    wallets = [wallet_account(f"w{number}", currency="EUR") for number in range(16)]
    with opened.unit_of_work() as uow:
        for wallet in wallets:
            ledger.open_account(uow, wallet, now_ms=0)
        uow.commit()

    def call(number: int) -> list[object]:
        wallet, answers = wallets[number], list[object]()
        for _ in range(5):
            steps = (
                move(10, credit=wallet),
                move(4, debit=wallet, credit=NOTES),
                move(999, debit=wallet, credit=NOTES),
            )
            answers.append(writer.submit(steps))
        return answers

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(call, range(16)))

    expected = [(Done(),), (Done(),), (Refused(Refusal.INSUFFICIENT_FUNDS),)]
    assert answers == [[expected] * 5] * 16
    assert [standing(opened, wallet) for wallet in wallets] == [(30, 30)] * 16
    assert standing(opened, NOTES) == (320, 320)


def test_racing_callers_spend_the_same_money_once(opened: Database, writer: LedgerWriter) -> None:
    writer.submit([move(100)])
    start = threading.Barrier(8)

    def spend(_: int) -> list[object]:
        start.wait(timeout=10)
        return [writer.submit([move(5, debit=WALLET, credit=NOTES)])[0][0] for _ in range(10)]

    with ThreadPoolExecutor(8) as threads:
        outcomes = [outcome for each in threads.map(spend, range(8)) for outcome in each]

    assert outcomes.count(Done()) == 20
    assert outcomes.count(Refused(Refusal.INSUFFICIENT_FUNDS)) == 60
    assert standing(opened, WALLET) == (0, 0)


def test_the_same_id_at_once_moves_the_money_once(opened: Database, writer: LedgerWriter) -> None:
    same = move(5)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: writer.submit([same, same]), range(8)))

    assert outcomes == [[(Done(),), (Done(),)]] * 8
    assert standing(opened, WALLET) == (5, 5)


def test_the_same_id_with_other_contents_is_a_refusal_of_its_own_that_changes_nothing(
    opened: Database, writer: LedgerWriter
) -> None:
    first = move(5)
    writer.submit([first])

    for _ in range(2):
        outcomes = writer.submit([move(6, transfer_id=first.id), move(1)])
        assert outcomes == [(Refused(Refusal.ID_REUSED),), (Done(),)]

    assert standing(opened, WALLET) == (7, 7)
    assert writer.submit([first]) == [(Done(),)]


REPEATING = st.lists(  # Calls of steps: which of a few ids, how much, and whether it is linked to the one before it.
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 2), st.booleans()), min_size=1, max_size=6), max_size=6
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=REPEATING)
@example(calls=[[(2, 1, False), (1, 1, True)], [(0, 1, False), (2, 1, False), (0, 1, True)]])
def test_ids_that_were_used_before_are_answered_as_one_by_one(
    engine: str, calls: list[list[tuple[int, int, bool]]]
) -> None:
    """
    The writer takes ids for new ones until the table refuses one; `carry_out` looks each up before.

    The example is a link of a used id and one that stands in the same batch: such a link gets no row.
    """
    ids = [new_id() for _ in range(10)]
    with tempfile.TemporaryDirectory() as directory:
        grouped, singly = open_ledger(Path(directory) / "grouped"), open_ledger(Path(directory) / "singly")
        writer = LedgerWriter(grouped, clock=lambda: 0)
        for call in calls:
            items: list[Transfer | Linked] = []
            for which, minor, is_linked in call:
                step, before = move(minor, transfer_id=ids[which]), items[-1] if items else None
                if is_linked and isinstance(before, Transfer) and before.id != step.id:
                    items[-1] = Linked((before, step))
                else:
                    items.append(step)

            assert writer.submit(items) == [_carried_out(singly, item) for item in items]
            assert standing(grouped, WALLET) == standing(singly, WALLET)
        writer.close()
        grouped.close()
        singly.close()


def _carried_out(database: Database, item: Transfer | Linked) -> tuple[Outcome, ...]:
    with database.unit_of_work() as uow:
        (outcomes,) = carry_out(uow, (item,), now_ms=0)
        uow.commit()
    return outcomes


def test_reservations_and_links_go_the_same_way(opened: Database, writer: LedgerWriter) -> None:
    reserved = move(70, debit=WALLET, credit=NOTES)
    outcomes = writer.submit(
        [
            move(100),
            Reservation(reserved, EXPIRES_AT_MS),
            Linked((move(30, debit=WALLET, credit=NOTES), move(1, debit=WALLET, credit=NOTES))),
        ]
    )
    late = writer.submit([Capture(new_id(), reserved.id, Money(60, "EUR"))])

    refused = (Refused(Refusal.LINKED_TRANSFER_REFUSED), Refused(Refusal.INSUFFICIENT_FUNDS))
    assert outcomes == [(Done(),), (Done(),), refused]
    assert late == [(Done(),)]
    assert standing(opened, WALLET) == (40, 40)


def test_units_of_work_between_batches_are_seen(opened: Database, writer: LedgerWriter) -> None:
    """
    The writer remembers accounts; it forgets them when somebody else may have changed them.
    """
    writer.submit([move(100)])
    post(opened, move(100, debit=WALLET, credit=NOTES))

    assert writer.submit([move(1, debit=WALLET, credit=NOTES)]) == [(Refused(Refusal.INSUFFICIENT_FUNDS),)]

    with opened.unit_of_work() as uow:
        ledger.close_account(uow, WALLET.id, now_ms=0)
        uow.commit()
    assert writer.submit([move(1)]) == [(Refused(Refusal.ACCOUNT_CLOSED),)]


@pytest.mark.sqlite
def test_another_programs_changes_are_seen(opened: Database, writer: LedgerWriter, tmp_path: Path) -> None:
    writer.submit([move(100)])
    other = Database.open(tmp_path / "party" / "ledger.sqlite", schemas=(LEDGER_SCHEMA,))
    post(other, move(100, debit=WALLET, credit=NOTES))
    other.close()

    assert writer.submit([move(1, debit=WALLET, credit=NOTES)]) == [(Refused(Refusal.INSUFFICIENT_FUNDS),)]


def test_who_finds_the_queue_full_waits_and_is_told_in_the_end(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_writer, "WAIT_S_MAX", 0.05)
    small = LedgerWriter(opened, clock=lambda: 0, waiting_items_max=4)
    with ThreadPoolExecutor(2) as threads:
        with opened.unit_of_work():  # Nothing is written while somebody else is at work.
            under_way = threads.submit(small.submit, [move(1)] * 4)
            wait_until(lambda: under_way.running() and not small._waiting)
            waiting = threads.submit(small.submit, [move(1)] * 4)
            wait_until(lambda: small._items == 4)
            with pytest.raises(StoreError, match="ask again"):
                small.submit([move(1)])
        assert (len(under_way.result()), len(waiting.result())) == (4, 4)
    small.close()


@pytest.mark.sqlite
def test_a_full_disk_is_told_to_everybody_and_is_over_when_there_is_space(
    opened: Database, writer: LedgerWriter
) -> None:
    with opened.unit_of_work() as uow:
        (pages,) = uow.row("PRAGMA page_count") or (0,)
        uow.execute(f"PRAGMA max_page_count = {pages + 2}")
    many = [move(1) for _ in range(2000)]

    with pytest.raises(StoreFull):
        writer.submit(many)

    assert standing(opened, WALLET) == (0, 0)
    with opened.unit_of_work() as uow:
        uow.execute("PRAGMA max_page_count = 100000")
    assert writer.submit(many) == [(Done(),)] * 2000
    assert standing(opened, WALLET) == (2000, 2000)


def test_what_is_waiting_is_carried_out_before_the_end_and_nothing_after_it(opened: Database) -> None:
    made = LedgerWriter(opened, clock=lambda: 0)
    assert made.submit([move(1)]) == [(Done(),)]
    made.close()

    with pytest.raises(StoreError, match="closed"):
        made.submit([move(1)])


def test_nothing_and_too_much_are_refused(writer: LedgerWriter) -> None:
    for items in ([], [move(1)] * (CALL_ITEMS_MAX + 1)):
        with pytest.raises(BodyInvalid):
            writer.submit(items)


def test_a_call_that_breaks_a_rule_fails_alone(opened: Database) -> None:
    """
    A sum that no column holds is a defect; whoever came with it in one batch is answered all the same.
    """
    made = LedgerWriter(opened, clock=lambda: 0)
    with opened.unit_of_work() as uow:
        uow.execute("UPDATE accounts SET debits_posted = 9223372036854775000 WHERE id = ?", FUNDS.id)
        uow.commit()
    with ThreadPoolExecutor(3) as threads:
        with opened.unit_of_work():
            first = threads.submit(made.submit, [move(1)])
            wait_until(lambda: first.running() and not made._waiting)
            bad = threads.submit(made.submit, [move(10**6)])
            good = threads.submit(made.submit, [move(1)])
            wait_until(lambda: len(made._waiting) == 2)
        assert first.result() == good.result() == [(Done(),)]
        assert isinstance(bad.exception(), InvariantBroken)
    made.close()


KILLED = """
import sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.ledger_writer import LedgerWriter
from handsel.store.postgresql import PostgresqlEngine
from handsel.store.sqlite import SqliteEngine
from tests.store.small_ledger import move
engine = PostgresqlEngine(sys.argv[1]) if "://" in sys.argv[1] else SqliteEngine(Path(sys.argv[1]))
writer = LedgerWriter(Database.on(engine, schemas=(LEDGER_SCHEMA,)), clock=lambda: 0)
def call(_):
    while True:
        mine = [move(1) for _ in range(20)]
        writer.submit(mine)
        sys.stdout.write("".join(each.id + "\\n" for each in mine))
        sys.stdout.flush()
with ThreadPoolExecutor(4) as threads:
    list(threads.map(call, range(4)))
"""


def test_what_was_answered_is_there_after_a_kill_under_load(
    opened: Database, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "party" / "ledger.sqlite"
    place = request.getfixturevalue("postgresql").url_at(path) if engine == "postgresql" else str(path)
    opened.close()  # One process at a time.
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, place], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as running:
        assert running.stdout is not None
        heard = [running.stdout.readline().strip() for _ in range(600)]
        os.kill(running.pid, signal.SIGKILL)
        heard += running.stdout.read().split("\n")
    ids = [each for each in heard if len(each) == 32]

    database = reopened(path)
    again = LedgerWriter(database, clock=lambda: 0)
    before = standing(database, WALLET)[0]
    transfers = [Transfer(each, FUNDS.id, WALLET.id, Money(1, "EUR"), "payment") for each in ids[:CALL_ITEMS_MAX]]
    assert again.submit(transfers) == [(Done(),)] * len(transfers)
    assert standing(database, WALLET)[0] == before >= len(ids)
    again.close()
    database.close()


def reopened(path: Path) -> Database:
    """
    Open a ledger whose process was killed; PostgreSQL takes a moment to notice that.
    """
    pause = threading.Event()
    for _ in range(400):
        try:
            return Database.open(path, schemas=(LEDGER_SCHEMA,))
        except StoreError:
            pause.wait(0.025)
    raise AssertionError("the ledger is never free again")


def wait_until(is_so: Callable[[], bool]) -> None:
    never = threading.Event()
    for _ in range(2000):
        if is_so():
            return
        never.wait(0.005)
    raise AssertionError("it never came to be")


@pytest.mark.parametrize("count", [PART_ITEMS - 1, PART_ITEMS, PART_ITEMS + 1, 2 * PART_ITEMS])
def test_a_batch_that_is_written_while_it_is_decided_is_whole(
    opened: Database, writer: LedgerWriter, count: int
) -> None:
    """
    Its last item is a link of which the second step is refused: what the first has changed is written nowhere.
    """
    refused = Linked((move(1, debit=WALLET, credit=NOTES), move(10**6, debit=WALLET, credit=NOTES)))
    outcomes = writer.submit([*(move(1) for _ in range(count - 1)), refused])

    reasons = (Refused(Refusal.LINKED_TRANSFER_REFUSED), Refused(Refusal.INSUFFICIENT_FUNDS))
    assert outcomes == [(Done(),)] * (count - 1) + [reasons]
    assert standing(opened, WALLET) == (count - 1, count - 1)


def test_a_batch_that_cannot_be_decided_is_not_kept_in_part(opened: Database) -> None:
    before = standing(opened, FUNDS)

    def book(items: Sequence[Transfer]) -> None:
        with opened.unit_of_work() as uow:
            carry_out(uow, items, now_ms=0)
            uow.commit()

    broken = move(1)
    object.__setattr__(broken, "money", None)
    for parts in (0, 3):
        with pytest.raises(AttributeError):
            book([*(move(1) for _ in range(parts * PART_ITEMS)), broken])

        assert standing(opened, FUNDS) == before
    book([move(1)])
    assert standing(opened, WALLET) == (1, 1)
