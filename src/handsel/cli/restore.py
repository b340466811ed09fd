"""
Have a matcher's rows restored out of those of the two others: `handsel restore`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handsel.matching.message import MATCHERS
from handsel.wiring.order_matchers import restore


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "order the three matchers to restore the rows of one that has none, as the issuer"
    parser = subparsers.add_parser("restore", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--matcher", choices=MATCHERS, required=True, help="which has lost its rows: a, b or c")
    parser.add_argument("--config", type=Path, required=True, help="the issuer's settings (TOML, mode 0600)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Order it, and say that it has begun, and where to look.
    """
    restore(args.config, args.matcher)
    print(f"all three matchers have begun to restore the rows of matcher {args.matcher}")
    print("Its log says how far it is; its /v1/health says `restoring`, and `ok` in the end.")
    return 0
