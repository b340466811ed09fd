"""
Deal with the bank, as the operator of the issuer or the acquirer: `handsel bank`.

Files come from the bank and go to it by hand, or by a program of the operator's: nothing here speaks to a bank.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import msgspec

from handsel.bank.reference import new_reference
from handsel.clock import system_clock
from handsel.errors import BodyInvalid, NotFound
from handsel.flows.banking.order_payments import NothingDue
from handsel.keys import replace_private_file
from handsel.web.reconciliation_page import reconciliation_page
from handsel.wiring.bank_file import BankFile

PARTIES = ("issuer", "acquirer")
CENTS = 100
NO = 1  # The exit status of "there are differences", and of "nothing is due".
Run = Callable[[argparse.Namespace], int]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb and its kinds.
    """
    text = "book what the bank states, and write files for it, as the operator of the issuer or the acquirer"
    parser = subparsers.add_parser("bank", help=text, description=text[0].upper() + text[1:] + ".")
    kinds = parser.add_subparsers(dest="what", metavar="what", required=True)
    _add_of_both(kinds)
    _add_of_one(kinds)
    _kind(kinds, "reference", "make a reference, as the acquirer tells the issuer", _reference)


def _add_of_both(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _kind(kinds, "book-statement", "book statements of the bank (camt.053), once", _book_statement)
    _add_party(parser)
    parser.add_argument(
        "files", nargs="+", metavar="file", type=Path, help="the bank's file, or several in their order"
    )
    parser = _kind(kinds, "book-status", "book what the bank has refused of a file (pain.002), once", _book_status)
    _add_party(parser)
    parser.add_argument("file", type=Path, help="the bank's file")
    parser = _kind(kinds, "reconcile", "compare bank and ledger; 1 if anything is not explained", _reconcile)
    _add_party(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same as JSON into this file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the same as a page that explains it")
    parser = _kind(kinds, "write-off", "book money that left, and that nobody ordered, as a cost", _write_off)
    _add_party(parser)
    parser.add_argument("id", help="the movement, as reconcile names it")


def _add_of_one(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _kind(kinds, "pay-out", "write the file that pays merchants out (pain.001), as the acquirer", _pay_out)
    _add_file(parser, party="acquirer")
    parser = _kind(kinds, "collect", "write the file of direct debits (pain.008), as the issuer", _collect)
    _add_file(parser, party="issuer")
    parser = _kind(kinds, "settle", "write the file that pays acquirers for notes (pain.001), as the issuer", _settle)
    _add_file(parser, party="issuer")
    text = "what stays with the issuer of each acquirer, in cents, to buy notes with for refunds"
    parser.add_argument("--keep", type=int, default=0, metavar="CENTS", help=text)
    text = "write the file that sends back what is nobody's (pain.001), as the issuer"
    parser = _kind(kinds, "send-back", text, _send_back)
    _add_file(parser, party="issuer")
    parser = _kind(kinds, "assign", "give what is nobody's to the wallet that it was meant for, as the issuer", _assign)
    _add_config(parser, party="issuer")
    parser.add_argument("id", help="the movement, as reconcile names it")
    parser.add_argument("--reference", required=True, help="the reference of the wallet, as its page shows it")


def run(args: argparse.Namespace) -> int:
    """
    Carry out the kind that was asked for.
    """
    carry_out: Run = args.carry_out
    return carry_out(args)


def _kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, carry_out: Run
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run, carry_out=carry_out)
    return parser


def _add_party(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("party", choices=PARTIES, help="whose bank it is")
    parser.add_argument("--config", type=Path, required=True, help="the party's settings (TOML, mode 0600)")


def _add_config(parser: argparse.ArgumentParser, *, party: str) -> None:
    parser.add_argument("--config", type=Path, required=True, help=f"the {party}'s settings (TOML, mode 0600)")


def _add_file(parser: argparse.ArgumentParser, *, party: str) -> None:
    _add_config(parser, party=party)
    text = "the day on which the bank is to do it: 2026-12-31; the same day again gives the same file"
    parser.add_argument("--due", type=_day, required=True, metavar="DAY", help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the file is written, mode 0600")


def _wiring(party: str) -> ModuleType:
    # Imported only when it is asked for: the acquirer's operator loads nothing of the issuer.
    return importlib.import_module(f"handsel.wiring.{party}_bank")


def _book_statement(args: argparse.Namespace) -> int:
    differences = 0
    for booked in _wiring(args.party).book(args.config, *map(_read, args.files)):
        again = ", booked before" if booked.is_repeated else ""
        print(f"statement {booked.bank_name}: {booked.movements} movements{again}")
        for kind in booked.differences:
            print(f"  {kind}")
        differences += len(booked.differences)
    if differences:
        print(f"{differences} not explained: handsel bank reconcile says more")
    return 0


def _book_status(args: argparse.Namespace) -> int:
    done = _wiring(args.party).status(args.config, _read(args.file))
    print(f"{done.refused} refused, {done.ended_before} had ended before, {done.unknown} are none of ours")
    return NO if done.unknown else 0


def _reconcile(args: argparse.Namespace) -> int:
    found = _wiring(args.party).report(args.config)
    for line in found.statements:
        print(f"{line.bank_name}: {_plain(line.opening_minor)} -> {_plain(line.closing_minor)}")
        print(f"  explained    {_plain(line.matched_minor):>16}  {line.matched} movements")
        for each in line.differences:
            print(f"  {each.name:<20} {_plain(each.amount_minor):>16}  {each.id}")
    for each in found.differences:
        print(f"{each.name:<22} {_plain(each.amount_minor):>16}  {each.id}")
    for each in found.waiting:
        print(f"waits: {_plain(each.amount_minor):>16}  {each.name}")
    for each in found.expected:
        print(f"{each.name}: {_plain(each.amount_minor)}")
    for sums in found.movements:
        print(f"movements {sums.outcome}: {sums.count}, {_plain(sums.amount_minor)}")
    for sums in found.orders:
        print(f"orders {sums.kind} {sums.state}: {sums.count}, {_plain(sums.amount_minor)}")
    print(f"at the bank {_plain(found.bank_minor)}, in the ledger {_plain(found.ledger_minor)} {found.currency}")
    print("all is explained" if found.is_explained else "not all is explained")
    if args.json is not None:
        replace_private_file(args.json, msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if args.html is not None:
        replace_private_file(args.html, reconciliation_page(found, party=args.party, made_ms=system_clock()))
    return 0 if found.is_explained else NO


def _write_off(args: argparse.Namespace) -> int:
    print(f"{_wiring(args.party).bear(args.config, args.id)} booked as a cost")
    return 0


def _pay_out(args: argparse.Namespace) -> int:
    return _write(args, _wiring("acquirer").pay_merchants(args.config, due_on=args.due))


def _collect(args: argparse.Namespace) -> int:
    return _write(args, _wiring("issuer").collect_debits(args.config, due_on=args.due))


def _settle(args: argparse.Namespace) -> int:
    if args.keep < 0:
        raise BodyInvalid("what is kept is 0 cents or more")
    return _write(args, _wiring("issuer").settle(args.config, due_on=args.due, keep_minor=args.keep))


def _send_back(args: argparse.Namespace) -> int:
    return _write(args, _wiring("issuer").send_back(args.config, due_on=args.due))


def _assign(args: argparse.Namespace) -> int:
    _wiring("issuer").assign(args.config, args.id, reference=args.reference)
    print("it is in the wallet")
    return 0


def _reference(_: argparse.Namespace) -> int:
    print(new_reference(os.urandom))
    return 0


def _write(args: argparse.Namespace, file: BankFile | NothingDue) -> int:
    if isinstance(file, NothingDue):
        print("nothing is due: no file was written")
        return NO
    replace_private_file(args.out, file.content)
    print(f"{file.orders} orders, {_plain(file.sum_minor)} EUR, in {args.out}")
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise NotFound(f"{path.name} cannot be read: {exc.strerror}") from exc


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("a day is written 2026-12-31") from exc


def _plain(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), CENTS)
    return f"{sign}{whole}.{part:02d}"
