"""
Run one party as this process: `handsel issuer`, `acquirer`, `matcher`, `till`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

PARTIES: dict[str, str] = {
    "issuer": "run the issuer: wallets, limits, notes",
    "acquirer": "run the acquirer: merchants, tills, receipts",
    "matcher": "run one of the three matchers",
    "till": "run a till's agent, on the machine that has the camera",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the four verbs.
    """
    for name, text in PARTIES.items():
        parser = subparsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        parser.add_argument("--config", type=Path, required=True, help="the party's settings (TOML, mode 0600)")
        parser.add_argument(
            "--stop-with-stdin", action="store_true", help="stop when standard input closes (for a supervisor)"
        )
        parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Serve the party until it is asked to stop.
    """
    wiring = importlib.import_module(f"handsel.wiring.{args.verb}")
    wiring.run(args.config, stops_with_stdin=args.stop_with_stdin)
    return 0
