"""
Have the matchers renew the shares of all palms: `handsel renew`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handsel.wiring.order_matchers import renew


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "order the three matchers to renew all shares after the next query, as the issuer"
    parser = subparsers.add_parser("renew", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--config", type=Path, required=True, help="the issuer's settings (TOML, mode 0600)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Order it, and say that it was confirmed.
    """
    renew(args.config)
    print("all three matchers have confirmed that they renew their shares after the next query")
    return 0
