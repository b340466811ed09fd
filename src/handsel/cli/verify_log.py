"""
Check that a party's ledger only grew between two of its heads, by files or by asking it: `handsel verify-log`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from handsel.cli.proof_files import add_key, read_head, read_json, read_key, tell_head
from handsel.errors import BodyInvalid, ProofInvalid
from handsel.keys import replace_private_file
from handsel.proof.head import GrowthProof, SignedHead, TreeKey, older_first, verify_growth
from handsel.web.public_heads import HttpHeads


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "check that between two signed heads a ledger only grew; 1 if the party has contradicted itself"
    parser = subparsers.add_parser("verify-log", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("older", type=Path, metavar="OLDER", help="a head, or a proof or statement that holds one")
    parser.add_argument("newer", type=Path, nargs="?", metavar="NEWER", help="a later one, of the same party")
    parser.add_argument(
        "--proof", type=Path, metavar="FILE", help="what /v1/tree_consistency answers for both sizes, if they differ"
    )
    parser.add_argument("--at", metavar="URL", help="instead of NEWER: ask the party there for its head now, and proof")
    parser.add_argument("--save", type=Path, metavar="FILE", help="with --at, keep the head that it shows now")
    add_key(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Say whether the later list begins with the earlier one.

    Raises `NotFound`, `BodyInvalid`, `SignatureInvalid` and, where a party is asked, `PartyUnavailable`.
    """
    if (args.newer is None) == (args.at is None) or (args.at is not None and args.proof is not None):
        raise BodyInvalid("name a later head, with --proof, or ask the party for it with --at")
    if args.save is not None and args.at is None:
        raise BodyInvalid("--save keeps what --at asks for")
    key = read_key(args.key)
    return _compare_files(args, key) if args.at is None else _compare_with_now(args, key)


def _compare_files(args: argparse.Namespace, key: TreeKey) -> int:
    older, newer = older_first(read_head(args.older), read_head(args.newer))
    for head in (older, newer):
        head.verify(key)
    first, second = older.head.size, newer.head.size
    if first != second and args.proof is None:
        print("Both heads are signed. Whether the later one begins with the earlier one takes a proof, which is at")
        print(f"/v1/tree_consistency?first={first}&second={second} of the party: save it, and add --proof FILE.")
        return 1
    proof = None
    if args.proof is not None:
        proof = read_json(args.proof, GrowthProof, what="a proof: save what /v1/tree_consistency answers")
    return _judge(older, newer, proof, key)


def _compare_with_now(args: argparse.Namespace, key: TreeKey) -> int:
    """
    Ask the party. What it shows is kept before it is judged: it is half of what convicts.
    """
    kept = read_head(args.older)
    kept.verify(key)
    heads = HttpHeads(args.at, party=f"the {key.party}")
    try:
        now = heads.newest()
        now.verify(key)
        if args.save is not None:
            replace_private_file(args.save, msgspec.json.encode(now) + b"\n")
        older, newer = older_first(kept, now)
        proof = None if older.head.size == newer.head.size else _growth(heads, older, newer)
    finally:
        heads.close()
    return _judge(older, newer, proof, key)


def _growth(heads: HttpHeads, older: SignedHead, newer: SignedHead) -> GrowthProof | None:
    try:
        return heads.growth(first=older.head.size, second=newer.head.size)
    except BodyInvalid:
        return None


def _judge(older: SignedHead, newer: SignedHead, proof: GrowthProof | None, key: TreeKey) -> int:
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
