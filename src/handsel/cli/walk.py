"""
Walk through the whole story without a browser: `handsel walk`.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

from handsel.wiring.demo import UNHURRIED, free_ports, set_up, start
from handsel.wiring.guests import PEOPLE, STRANGERS, drawn_guests, photographed_guests
from handsel.wiring.serve import private_files_only
from handsel.wiring.story import Guest, Line, Tally, tell_story


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "enrol, pay, try strangers, refund and erase, without a browser"
    parser = subparsers.add_parser("walk", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="use photographs DIR/<person>/<n>.jpg, not drawings")
    parser.add_argument(
        "--people", type=_count, metavar="N", help=f"how many enrol and pay (default {PEOPLE}; of photographs, 2/3)"
    )
    parser.add_argument(
        "--strangers", type=_count, metavar="N", help=f"how many others try (default {STRANGERS}; of photographs, all)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Tell the story; 1 if anybody paid with someone else's money, or an erased palm paid.
    """
    private_files_only()
    people, strangers = _guests(args)
    who = f"{_counted(len(people), 'person', 'people')} and {_counted(len(strangers), 'stranger', 'strangers')}"
    print(f"Walking with {who}; six processes start …", flush=True)
    with tempfile.TemporaryDirectory(prefix="handsel-walk-") as directory:
        ports = free_ports()
        demo = set_up(Path(directory), ports, till_limits=UNHURRIED)
        supervisor = start(demo, ports, partial(print, flush=True))
        try:
            print(f"\n{'who':<12} {'step':<14} {'outcome':<34} {'time':>7}", flush=True)
            tally = tell_story(demo, people, strangers, _print_line)
        finally:
            supervisor.stop()
    print(summary(tally))
    return 0 if tally.is_safe else 1


def _guests(args: argparse.Namespace) -> tuple[tuple[Guest, ...], tuple[Guest, ...]]:
    if args.photos is not None:
        return photographed_guests(args.photos, people=args.people, strangers=args.strangers)
    return drawn_guests(
        PEOPLE if args.people is None else args.people, STRANGERS if args.strangers is None else args.strangers
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("give a whole number, 0 or more")
    return int(text)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _print_line(line: Line) -> None:
    print(f"{line.who:<12} {line.step:<14} {line.outcome:<34} {line.elapsed_s:>5.2f} s", flush=True)


def summary(tally: Tally) -> str:
    """
    Return what a story came to, its safety in the last line.
    """
    refunded = {None: "nobody was refunded", False: "NO REFUND ARRIVED", True: "the refund arrived"}
    erased = {None: "nobody was erased", False: "the erased palm no longer pays", True: "THE ERASED PALM STILL PAYS"}
    by_receipt = {
        None: "no receipt was shown",
        False: "NO REFUND BY RECEIPT ARRIVED",
        True: "its receipt is still paid back",
    }
    return (
        f"\n{tally.enrolled} of {tally.people} enrolled; {tally.visits_paid} of {tally.visits} visits paid; "
        f"{refunded[tally.refunded]}; {erased[tally.erased_pays]}; "
        f"{by_receipt[tally.paid_back_by_receipt]}."
        f"\n{len(tally.paid)} of {tally.people} people paid, {tally.taken_for_someone_else} were taken for someone "
        f"else, {tally.strangers_paid} of {tally.stranger_visits} tries by strangers paid."
    )
