"""
Measure the ledger, against the same database used naively: `make bench-ledger`.

    python -m bench.ledger [--transfers N] [--payers N] [--json]

Every transfer that is counted was answered and is durable. The reference makes one transaction of each transfer. The
accounts that pay are many; they pay either one hot merchant, or as many merchants as there are payers. Ids are random,
as a client makes them.

The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.naive_ledger import NaiveSqlite, Post

from handsel.ids import new_id
from handsel.pay.account import Account, Floor, sandbox_funds, wallet_account
from handsel.pay.ledger import Refused, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database
from handsel.store.ledger_schema import LEDGER_SCHEMA

SEED = 7
FUNDS_MINOR = 10**9
CALLERS = (1, 8, 64)
FLUSHES = 200
Say = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """
    Hold what was measured with so many callers: how many transfers a second, and how long a call waits.
    """

    callers: int
    per_s: float
    p50_ms: float
    p99_ms: float


def accounts_of(payers: int) -> list[Account]:
    """
    Return the accounts of so many payers, and of one merchant.
    """
    return [
        *(wallet_account(new_id(), currency="EUR") for _ in range(payers)),
        Account("merchant:hot", "EUR", Floor.ZERO),
    ]


def draw(accounts: Sequence[Account], *, count: int, is_hot: bool, generator: random.Random) -> list[Transfer]:
    """
    Return so many payments: all to the one merchant, or each to whoever comes.
    """
    payers, hot = accounts[:-1], accounts[-1].id
    chosen = [generator.sample(payers, 2) for _ in range(count)]
    return [
        Transfer(new_id(), one.id, hot if is_hot else other.id, Money(generator.randint(1, 100), "EUR"), "payment")
        for one, other in chosen
    ]


def measure(transfers: Sequence[Transfer], posts: Sequence[Post]) -> Figures:
    """
    Share the transfers out among callers that post one after another each, and return what it took.
    """
    start = threading.Barrier(len(posts) + 1)
    waited: list[list[float]] = [[] for _ in posts]

    def call(place: int) -> None:
        mine, post = transfers[place :: len(posts)], posts[place]
        start.wait()
        for transfer in mine:
            begin_s = time.perf_counter()
            post(transfer)
            waited[place].append(time.perf_counter() - begin_s)

    threads = [threading.Thread(target=call, args=(place,)) for place in range(len(posts))]
    for thread in threads:
        thread.start()
    start.wait()
    begin_s = time.perf_counter()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - begin_s
    cuts = statistics.quantiles([each * 1e3 for one in waited for each in one], n=100)
    return Figures(len(posts), len(transfers) / took_s, cuts[49], cuts[98])


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


def one_unit_each(database: Database) -> Post:
    """
    Return how a flow posts: in a unit of work of its own.
    """

    def post(transfer: Transfer) -> None:
        with database.unit_of_work() as uow:
            if isinstance(ledger.post(uow, transfer, now_ms=1), Refused):
                raise RuntimeError("everybody has funds")
            uow.commit()

    return post


def measure_sqlite(root: Path, *, count: int, payers: int, say: Say) -> dict[str, object]:
    """
    Return the figures of SQLite.
    """
    generator = random.Random(SEED)  # noqa: S311 - nothing is kept secret with it.
    cases: list[dict[str, object]] = []
    for shape in ("hot_merchant", "spread"):
        accounts = accounts_of(payers)
        names = [account.id for account in accounts]
        with closing(NaiveSqlite(root / shape / "naive", names, funds_minor=FUNDS_MINOR)) as naive:
            for callers in CALLERS:
                work = draw(accounts, count=count, is_hot=shape == "hot_merchant", generator=generator)
                figures = measure(work, [naive.caller() for _ in range(callers)])
                cases.append({"shape": shape, "kind": "naive", **asdict(figures)})
                say(f"sqlite {shape} naive {figures}")
        with closing(Database.open(root / shape / "own" / "ledger.sqlite", schemas=(LEDGER_SCHEMA,))) as database:
            fill(database, accounts)
            for callers in CALLERS:
                work = draw(accounts, count=count, is_hot=shape == "hot_merchant", generator=generator)
                figures = measure(work, [one_unit_each(database) for _ in range(callers)])
                cases.append({"shape": shape, "kind": "unit_of_work", **asdict(figures)})
                say(f"sqlite {shape} unit of work {figures}")
    return {"cases": cases}


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


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(prog="bench.ledger", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--transfers", type=int, default=4000, help="of the reference, for each case")
    parser.add_argument("--payers", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args(argv)
    say: Say = (lambda _: None) if asked.json else (lambda text: print(text, flush=True))
    with tempfile.TemporaryDirectory(prefix="handsel-bench-", dir=Path.cwd()) as place:
        root = Path(place)
        root.chmod(0o700)
        whole = {
            "fdatasync_ms": fdatasync_ms(root),
            "sqlite": measure_sqlite(root, count=asked.transfers, payers=asked.payers, say=say),
        }
    print(json.dumps(whole))
    return 0


if __name__ == "__main__":
    sys.exit(main())
