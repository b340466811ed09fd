"""
Measure a pay-out, from a filled ledger to the file for the bank: `make bench-payout`.

    python -m bench.pay_out [--merchants N] [--payments N] [--json]

Each merchant has an account at a bank and so many payments, some of which were refunded in part. What is measured is
what the operator waits for: which payments are due to whom, one reservation each, all of it on disk; then the file,
pain.001, checked against the schema of ISO 20022 as the command does. Asking again must give the same file, byte for
byte. Then the bank states every payment one by one, and the time to book that is measured too.

The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stdnum.iso7064 import mod_97_10

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, OwnAccount
from handsel.bank.statement import Movement, Statement
from handsel.clock import system_clock
from handsel.errors import ensure
from handsel.flows.acquiring.accounts import merchant_account, settlement
from handsel.flows.acquiring.book_statement import follow_orders
from handsel.flows.acquiring.pay_out import order_pay_outs
from handsel.flows.banking.book_statement import book_in_turn
from handsel.flows.banking.explain_payment import Explain, Explanation, explain_payment
from handsel.flows.banking.transfer_file import TransferFile
from handsel.ids import new_id
from handsel.pay.ledger import Transfer
from handsel.pay.money import Money
from handsel.store.acquirer import AcquirerBooks, AcquirerDatabase
from handsel.store.bank import BankTables
from handsel.wiring.bank_file import written_transfers

GOAL_S = 60.0  # For 10,000 merchants.
SEED = 7
CHUNK = 5000
Say = Callable[[str], None]


def made_up_iban(number: int) -> Iban:
    """
    Return a German IBAN with right check digits, of a bank that there is not.
    """
    body = f"10000000{number:010d}"
    return Iban(f"DE{mod_97_10.calc_check_digits(body + 'DE')}{body}")


def fill(store: AcquirerDatabase, *, merchants: int, payments: int, now_ms: int) -> int:
    """
    Fill an acquirer's books, and return what is due to all merchants, in minor units.
    """
    generator = random.Random(SEED)  # noqa: S311 – amounts, not secrets.
    due_minor = 0
    for first in range(0, merchants, CHUNK):
        with store.unit_of_work() as books:
            for number in range(first, min(first + CHUNK, merchants)):
                due_minor += _fill_one(books, f"m{number}", number, payments, generator, now_ms=now_ms)
            books.commit()
    return due_minor


def _fill_one(
    books: AcquirerBooks, name: str, number: int, payments: int, generator: random.Random, *, now_ms: int
) -> int:
    uow = books.bank.uow
    uow.insert_many("merchants", ("id", "name", "key_hash"), [(name, f"Shop {number}", None)])
    uow.insert_many("tills", ("id", "merchant_id", "name", "token_hash"), [(f"{name}/t", name, "t", None)])
    party_id = new_id()
    books.bank.keep_party(party_id, Holder(f"Shop {number} Ltd", made_up_iban(number)), now_ms=now_ms)
    books.pay_outs.set_account(name, party_id, now_ms=now_ms)
    amounts = [generator.randint(100, 5000) for _ in range(payments)]
    ids = [new_id() for _ in amounts]
    shared = ("merchant_id", "till_id", "amount_minor", "currency", "status", "created_ms")
    uow.insert_many(
        "payments",
        ("id", *shared, "description", "receipt_code", "paid_ms"),
        [
            (each, name, f"{name}/t", minor, "EUR", "succeeded", now_ms, "", secrets.token_hex(8), now_ms)
            for each, minor in zip(ids, amounts, strict=True)
        ],
    )
    refunded = amounts[0] // 2 if number % 10 == 0 else 0
    if refunded:
        row = (new_id(), name, f"{name}/t", refunded, "EUR", "succeeded", now_ms, ids[0])
        uow.insert_many("refunds", ("id", *shared, "payment_id"), [row])
    due_minor = sum(amounts) - refunded
    account, source = merchant_account(name, currency="EUR"), settlement("EUR")
    books.open_account(account, now_ms=now_ms)
    books.open_account(source, now_ms=now_ms)
    # One transfer for all payments: what is measured reads balances, not entries.
    paid = Transfer(new_id(), source.id, account.id, Money(due_minor, "EUR"), "payment")
    ensure(books.post(paid, now_ms=now_ms) is None, "a payment can be booked")
    return due_minor


def _explain(books: AcquirerBooks) -> Explain:
    def explain(bank: BankTables, movement: Movement, _: str, now_ms: int) -> Explanation:
        found = explain_payment(bank, movement, ended=follow_orders(books), now_ms=now_ms)
        if found is None:
            raise ValueError("the bank states what was ordered and nothing else")
        return found

    return explain


def confirm(store: AcquirerDatabase, made: TransferFile, own: OwnAccount, *, now_ms: int) -> None:
    """
    Have the bank state every payment of a file, and book it.
    """
    day = made.batch.due_on
    movements = tuple(
        Movement(order.money, is_credit=False, booked_on=day, bank_reference=f"b{place}", end_to_end_id=order.id)
        for place, order in enumerate(made.orders)
    )
    opening = made.sum_minor
    statement = Statement("S-1", own.holder.iban, "EUR", opening, 0, day, movements)
    with store.unit_of_work() as books:
        (booked,) = book_in_turn(
            books.bank,
            (statement,),
            of=own.holder.iban,
            currency="EUR",
            explain=_explain(books),
            now_ms=now_ms,
        )
        ensure(not booked.differences, "all is explained")
        books.commit()


def measure(directory: Path, *, merchants: int, payments: int, say: Say) -> dict[str, object]:
    """
    Fill, pay out, ask again, and have it stated; return how long each took.
    """
    own, now_ms = OwnAccount(Holder("Example Acquirer", made_up_iban(10**9))), system_clock()
    due_on = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date() + timedelta(days=1)
    store = AcquirerDatabase.open(directory / "acquirer" / "ledger.sqlite")
    say(f"filling the books: {merchants} merchants, {payments} payments each")
    due_minor = fill(store, merchants=merchants, payments=payments, now_ms=now_ms)
    begun_s = time.perf_counter()
    made = _order(store, own, due_on, now_ms=now_ms)
    ordered_s = time.perf_counter() - begun_s
    content = written_transfers(made).content
    whole_s = time.perf_counter() - begun_s
    ensure(len(made.orders) == merchants and made.sum_minor == due_minor, "everybody is paid what is due")
    ensure(written_transfers(_order(store, own, due_on, now_ms=now_ms)).content == content, "the file is the same")
    say(f"ordered in {ordered_s:.1f} s, written and valid after {whole_s:.1f} s; the goal is {GOAL_S:.0f} s")
    begun_s = time.perf_counter()
    confirm(store, made, own, now_ms=now_ms)
    booked_s = time.perf_counter() - begun_s
    say(f"a statement of all of them booked in {booked_s:.1f} s")
    with store.unit_of_work() as books:
        books.audit()
    store.close()
    return {
        "merchants": merchants,
        "payments": merchants * payments,
        "ordered_s": round(ordered_s, 2),
        "whole_s": round(whole_s, 2),
        "goal_s": GOAL_S,
        "file_bytes": len(content),
        "statement_booked_s": round(booked_s, 2),
    }


def _order(store: AcquirerDatabase, own: OwnAccount, due_on: date, *, now_ms: int) -> TransferFile:
    made = order_pay_outs(store, by=own, due_on=due_on, amount_minor_min=1, now_ms=now_ms)
    if not isinstance(made, TransferFile):
        raise ValueError("something is due")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print; 1 where the goal is missed.
    """
    parser = argparse.ArgumentParser(prog="bench.pay_out", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--merchants", type=int, default=10_000)
    parser.add_argument("--payments", type=int, default=5, help="of each merchant")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args(argv)
    say: Say = (lambda _: None) if asked.json else (lambda text: print(text, flush=True))
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as place:
        figures = measure(Path(place), merchants=asked.merchants, payments=asked.payments, say=say)
    print(json.dumps(figures))
    return int(float(str(figures["whole_s"])) > GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
