"""
Make a new certificate for a matcher, of the key that it has or of a new one: `handsel certify`.
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from pathlib import Path

from handsel.certificate import make_certificate
from handsel.clock import system_clock
from handsel.keys import PartyKeys

MATCHERS = ("a", "b", "c")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "make a new certificate for a matcher, of the key that it has or of a new one, and print it as a setting"
    parser = subparsers.add_parser("certify", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("matcher", choices=MATCHERS, help="whose it is: a, b or c")
    parser.add_argument("--keys", type=Path, required=True, metavar="FILE", help="its identity.key")
    parser.add_argument("--new-keys", action="store_true", help="make that file first, for a matcher that is new")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Print the setting, and where it belongs.
    """
    if args.new_keys:
        PartyKeys.generate().save(args.keys)
    keys = PartyKeys.load(args.keys)
    certificate = make_certificate(keys, name=f"matcher {args.matcher}", now_ms=system_clock())
    print(f"# Below [parties.matchers.{args.matcher}] in the settings of all; then start the three matchers again.")
    print(f'certificate = "{b64encode(certificate).decode()}"')
    if args.new_keys:
        public = keys.public()
        print(f"# And below [parties.matchers.{args.matcher}.keys], of all parties.")
        print(f'seal = "{b64encode(public.seal).decode()}"')
        print(f'sign = "{b64encode(public.sign).decode()}"')
    return 0
