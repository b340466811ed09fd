"""
Check, offline, that a statement holds every entry of an account, and every payment of one's own list:
`handsel verify-statement`.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from handsel.cli.proof_files import add_key, read_json, read_key, tell_head
from handsel.errors import BodyInvalid, NotFound, ProofInvalid
from handsel.ids import require_id
from handsel.pay.money import Money
from handsel.pay.pay_out import paid_id
from handsel.pay.payment import booking_of
from handsel.proof.head import TreeKey
from handsel.proof.statement import (
    ProvedPayout,
    ProvedStatement,
    Statement,
    missing_payments,
    require_follows,
    verify_statement,
)

PAYMENTS_MAX = 1_000_000  # In a list of one's own.
NAMED_MAX = 20
_WHAT = "a statement: get it from the shop's page, or from /v1/statement"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "check, offline, that a statement is complete; 1 if a payment is missing in it"
    parser = subparsers.add_parser("verify-statement", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("file", type=Path, metavar="FILE", help="the statement")
    parser.add_argument(
        "--payments", type=Path, metavar="CSV", help="one's own list: a payment's id and its minor units in each line"
    )
    parser.add_argument("--previous", type=Path, metavar="FILE", help="the statement before, which it must continue")
    parser.add_argument("--pay-out", metavar="ID", help="of which pay-out it must be, as one's bank states it")
    add_key(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Say what is proved, and name what is missing.

    Raises `NotFound`, `BodyInvalid`, `SignatureInvalid` and `ProofInvalid`.
    """
    key = read_key(args.key)
    statement = read_json(args.file, Statement, what=_WHAT)
    proved = verify_statement(statement, key=key)
    _require_own_ids(statement, proved.currency)
    if args.pay_out is not None and statement.payout_id != paid_id(require_id(args.pay_out)):
        raise ProofInvalid("the statement is not of the pay-out of that id")
    if args.previous is not None:
        proved = _continued(read_json(args.previous, Statement, what=_WHAT), proved, key)
    _tell(statement, proved)
    left_out = _tell_payout(statement, proved, proved.payout) if proved.payout else 0
    if args.payments is None:
        print("Whether all your payments are in it, only your own list can tell: --payments CSV.")
        return int(left_out > 0)
    made = _read_payments(args.payments)
    by_step = {booking_of(payment_id, currency=proved.currency): payment_id for payment_id in made}
    missing = missing_payments(statement, {step: made[payment_id] for step, payment_id in by_step.items()})
    if proved.payout:  # A payment that is booked as a pay-out that came back is paid out to nobody.
        missing += tuple(step for step in by_step if step in proved.payout.other_payouts)
    for step in missing[:NAMED_MAX]:
        print(f"MISSING, or of another amount: payment {by_step[step]}")
    total = Money(sum(made.values()), proved.currency)
    if missing:
        print(f"{len(missing)} of the {len(made)} payments of your list are not in this statement.")
        return 1
    print(f"All {len(made)} payments of your list, {total} together, are in it, each with its amount.")
    if proved.payout:
        after = proved.payout.ordered_after
        later = sum(line.leaf.id in by_step for line in statement.lines if line.running.number > after)
        print(f"{later} of them came after the pay-out was ordered: the next one has to contain them.")
    return int(left_out > 0)


def _tell(statement: Statement, proved: ProvedStatement) -> None:
    print(f"Proved: entries {proved.first} to {proved.last} of {proved.account}, without a gap,")
    print(f"in the ledger {tell_head(statement.head)}.")
    print(f"Before: {_money(proved, proved.opening_minor)}. After: {_money(proved, proved.closing_minor)}.")
    for code, minor in sorted(proved.by_code.items()):
        print(f"  {code}: {_money(proved, minor)}")


def _tell_payout(statement: Statement, proved: ProvedStatement, payout: ProvedPayout) -> int:
    entries = f"{len(payout.contained)} entries until {payout.ordered_after}"
    print(f"The last entry is the pay-out of {_money(proved, payout.amount_minor)}: it is what {entries} come to.")
    payments = {line.leaf.id: line.payment_id for line in statement.lines}
    for step_id in payout.left_out[:NAMED_MAX]:
        print(f"NOT IN IT: {f'payment {payments[step_id]}' if payments[step_id] else f'step {step_id}'}")
    if payout.left_out:
        print(f"{len(payout.left_out)} entries until there are not in it. It may be that they were paid out before,")
        print("which --previous FILE tells, or that they waited for the end of a refund and are in the next one.")
    else:
        print(f"Every payment and refund from entry {proved.first} until there is in it.")
    return len(payout.left_out)


def _money(proved: ProvedStatement, minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{Money(abs(minor), proved.currency)}"


def _require_own_ids(statement: Statement, currency: str) -> None:
    for line in statement.lines:
        if line.payment_id and booking_of(line.payment_id, currency=currency) != line.leaf.id:
            raise ProofInvalid("a line of the statement names a payment that is not its own")


def _continued(before: Statement, proved: ProvedStatement, key: TreeKey) -> ProvedStatement:
    earlier = verify_statement(before, key=key)
    if proved.payout and earlier.payout:
        return require_follows(proved, earlier)
    if (earlier.account, earlier.last + 1, earlier.closing_minor) != (
        proved.account,
        proved.first,
        proved.opening_minor,
    ):
        raise ProofInvalid(f"the statement does not go on after entry {earlier.last} of the one before")
    return proved


def _read_payments(path: Path) -> dict[str, int]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row, _ in zip(csv.reader(file), range(PAYMENTS_MAX + 1), strict=False) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise NotFound(f"{path.name} cannot be read as a list of payments") from exc
    if len(rows) > PAYMENTS_MAX:
        raise BodyInvalid(f"{path.name} has more than {PAYMENTS_MAX} lines")
    made: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not row[1].strip().isdigit():
            raise BodyInvalid(f"line {number} of {path.name} is not a payment's id, a comma, and its minor units")
        payment_id = require_id(row[0].strip())
        if payment_id in made:
            raise BodyInvalid(f"line {number} of {path.name} names a payment for the second time")
        made[payment_id] = int(row[1])
    if not made:
        raise BodyInvalid(f"{path.name} holds no payment: an empty list proves nothing")
    return made
