"""
Check, offline, that a party's ledger only grew between two of its heads: `handsel verify-log`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handsel.cli.proof_files import add_key, read_head, read_json, read_key, tell_head
from handsel.errors import ProofInvalid
from handsel.proof.head import GrowthProof, verify_growth


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "check, offline, that between two signed heads a ledger only grew; 1 if the party has contradicted itself"
    parser = subparsers.add_parser("verify-log", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("older", type=Path, metavar="OLDER", help="a head, or a proof or statement that holds one")
    parser.add_argument("newer", type=Path, metavar="NEWER", help="a later one, of the same party")
    parser.add_argument(
        "--proof", type=Path, metavar="FILE", help="what /v1/tree_consistency answers for both sizes, if they differ"
    )
    add_key(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Say whether the later list begins with the earlier one. Raises `NotFound`, `BodyInvalid`, and `SignatureInvalid`.
    """
    key, older, newer = read_key(args.key), read_head(args.older), read_head(args.newer)
    for head in (older, newer):
        head.verify(key)
    sizes = (older.head.size, newer.head.size)
    if sizes[0] > sizes[1]:
        older, newer, sizes = newer, older, (sizes[1], sizes[0])
    if sizes[0] != sizes[1] and args.proof is None:
        print("Both heads are signed. Whether the later one begins with the earlier one takes a proof, which is at")
        print(f"/v1/tree_consistency?first={sizes[0]}&second={sizes[1]} of the party: save it, and add --proof FILE.")
        return 1
    proof = None
    if args.proof is not None:
        proof = read_json(args.proof, GrowthProof, what="a proof: save what /v1/tree_consistency answers")
    try:
        verify_growth(older, newer, proof, key=key)
    except ProofInvalid as exc:
        print(f"Not proved: {exc}.")
        print("Where the proof is the party's own answer for these two sizes, keep all files: both signatures are")
        print("genuine, and together they show that it changed or hid something.")
        return 1
    print(f"Proved: the ledger {tell_head(newer)},")
    print(f"begins with the one {tell_head(older)}.")
    return 0
