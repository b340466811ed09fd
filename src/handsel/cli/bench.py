"""
Measure on this machine: the blind match (`handsel bench matching`), notes (`handsel bench notes`), the ledger
(`handsel bench ledger`), a charge from till to issuer and back (`handsel bench charge`) and a pay-out
(`handsel bench payout`).

What measures lies beside the package, in the `bench` folder of its source, and is no part of what is installed: it
writes galleries of random palms and opens what no matcher opens, and keeps ledgers of nobody's money. So it takes an
editable install, or to be started in the folder of the source.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from handsel.errors import NotFound

_BENCH = Path("bench") / "matching.py"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "measure on this machine what something costs"
    kinds = subparsers.add_parser("bench", help=text, description=text[0].upper() + text[1:] + ".").add_subparsers(
        dest="what", metavar="what", required=True
    )
    text = "measure the blind match against the same dot products in the clear; needs a checkout of the source"
    parser = kinds.add_parser("matching", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "--rows", type=int, metavar="N", help="palms in the gallery; without it and --batch, all standard cases"
    )
    parser.add_argument("--batch", type=int, metavar="B", help="views in a query, 1 to 32; 9 are one palm")
    parser.add_argument("--decisions", type=int, metavar="N", help="how many to compare with those in the clear")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.set_defaults(run=run)
    text = "measure how long notes take, against plain signing; needs a checkout of the source, and what its tests need"
    parser = kinds.add_parser("notes", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--amounts", type=int, metavar="N", help="how many amounts up to EUR 50; without it, all 5000")
    parser.add_argument("--charges", type=int, metavar="N", help="how many whole charges, up to 1000; without it, 500")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.set_defaults(run=run_notes)
    text = "measure the ledger against the same database used naively; needs a checkout of the source"
    parser = kinds.add_parser("ledger", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--transfers", type=int, metavar="N", help="of the reference, for each case")
    parser.add_argument("--payers", type=int, metavar="N", help="accounts that pay")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="without it, both")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.set_defaults(run=run_ledger)
    text = "measure how long a charge by notes takes, without the match; needs a checkout, and what its tests need"
    parser = kinds.add_parser("charge", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--rate", type=int, metavar="N", help="charges a second; without it, 50")
    parser.add_argument("--seconds", type=int, metavar="S", help="for how long; without it, 20")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.set_defaults(run=run_charge)
    text = "measure a pay-out from a filled ledger to the bank's file, against its goal; needs a checkout of the source"
    parser = kinds.add_parser("payout", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--merchants", type=int, metavar="N", help="without it, 10,000")
    parser.add_argument("--payments", type=int, metavar="N", help="of each merchant; without it, 5")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.set_defaults(run=run_payout)


def run(args: argparse.Namespace) -> int:
    """
    Measure; 1 if an answer or a decision was wrong. Raises `NotFound` where the source is not there.
    """
    return _measure("bench.matching", args, ("rows", "batch", "decisions"))


def run_notes(args: argparse.Namespace) -> int:
    """
    Measure; 1 if a note was not genuine. Raises `NotFound` where the source is not there.
    """
    return _measure("bench.notes", args, ("amounts", "charges"))


def run_ledger(args: argparse.Namespace) -> int:
    """
    Measure. Raises `NotFound` where the source is not there.
    """
    return _measure("bench.ledger", args, ("transfers", "payers", "database"))


def run_charge(args: argparse.Namespace) -> int:
    """
    Measure; 1 if a charge was not paid. Raises `NotFound` where the source is not there.
    """
    return _measure("bench.charge", args, ("rate", "seconds"))


def run_payout(args: argparse.Namespace) -> int:
    """
    Measure; 1 if it took longer than its goal. Raises `NotFound` where the source is not there.
    """
    return _measure("bench.pay_out", args, ("merchants", "payments"))


def checkout() -> Path:
    """
    Return the folder with the source: that of this package, or else the one we are in. Raises `NotFound`.
    """
    for folder in (Path(__file__).resolve().parents[3], Path.cwd()):
        if (folder / _BENCH).is_file() and (folder / "src" / "handsel").is_dir():
            return folder
    raise NotFound(
        "the bench is not part of what is installed: get Handsel's source, and type `make bench-matching`, "
        "`make bench-notes`, `make bench-ledger`, `make bench-charge` or `make bench-payout` in its folder"
    )


def _measure(module: str, args: argparse.Namespace, names: tuple[str, ...]) -> int:
    sys.path.insert(0, str(checkout()))
    asked = [f"--{name}={value}" for name in names if (value := getattr(args, name)) is not None]
    return int(importlib.import_module(module).main([*asked, *(["--json"] if args.json else [])]))
