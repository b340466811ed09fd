"""
Check, offline, that what a receipt says was paid is in the acquirer's books: `handsel verify-receipt`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handsel.cli.proof_files import add_key, read_json, read_key, tell_head
from handsel.pay.money import Money
from handsel.proof.receipt import ReceiptProof, verify_receipt
from handsel.web.pages import utc_text


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "check, offline, the proof that a receipt's payment is in the acquirer's books"
    parser = subparsers.add_parser("verify-receipt", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("file", type=Path, metavar="FILE", help="the proof, from the receipt's page")
    add_key(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Say what is proved, and what is not. Raises `NotFound`, `BodyInvalid`, `SignatureInvalid` and `ProofInvalid`.
    """
    key = read_key(args.key)
    proof = read_json(args.file, ReceiptProof, what="the proof of a receipt: get it from the receipt's page")
    proved = verify_receipt(proof, key=key)
    leaf = proved.leaf
    print(f"Proved: {Money(leaf.amount_minor, leaf.currency)} ({leaf.code}) to {proved.credited},")
    print(f"booked at {utc_text(leaf.at_ms)} as step {leaf.sequence} of the ledger that was")
    print(f"{tell_head(proof.head)}.")
    print("Not proved: who paid, what was bought, and that others are shown the same ledger. For that, compare heads:")
    print("handsel verify-log.")
    return 0
