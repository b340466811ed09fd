"""
Read the files that the verbs of proofs take: keys, heads, proofs and statements, as they were downloaded.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TypeVar

import msgspec

from handsel.errors import BodyInvalid, NotFound
from handsel.proof.head import SignedHead, TreeKey
from handsel.proof.receipt import ReceiptProof
from handsel.proof.statement import Statement
from handsel.web.pages import utc_text

FILE_BYTES_MAX = 64 << 20  # A statement of 10,000 lines has 10 MiB.

F = TypeVar("F", bound=msgspec.Struct)


def add_key(parser: argparse.ArgumentParser) -> None:
    """
    Add the option that every verb of proofs has.
    """
    parser.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the party's tree.pub, got from itself or from others"
    )


def read_key(path: Path) -> TreeKey:
    """
    Read a party's public tree key. Raises `NotFound`, `BodyInvalid` and `ProofInvalid`.
    """
    return read_json(path, TreeKey, what="a tree.pub, or what /v1/tree_key answers")


def read_json(path: Path, kind: type[F], *, what: str) -> F:
    """
    Read a file that holds one `kind`. Raises `NotFound`, and `BodyInvalid`, which says `what` it should be.
    """
    try:
        return msgspec.json.decode(_read(path), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BodyInvalid(f"{path.name} is not {what}") from exc


def read_head(path: Path) -> SignedHead:
    """
    Read the head in a file: of a head itself, of the proof of a receipt, or of a statement.

    Raises `NotFound` and `BodyInvalid`.
    """
    raw = _read(path)
    kinds: tuple[type[SignedHead | ReceiptProof | Statement], ...] = (SignedHead, ReceiptProof, Statement)
    for kind in kinds:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            found = msgspec.json.decode(raw, type=kind)
            return found if isinstance(found, SignedHead) else found.head
    raise BodyInvalid(f"{path.name} holds no head: save what /v1/tree_head answers, or take a proof or a statement")


def tell_head(signed: SignedHead) -> str:
    """
    Return a line about a head that was verified.
    """
    head = signed.head
    return f"signed by the {head.party} at {utc_text(head.at_ms)}, when its ledger had {head.size} steps"


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BodyInvalid(f"{path.name} is larger than {FILE_BYTES_MAX >> 20} MiB: it is no such file")
        return path.read_bytes()
    except OSError as exc:
        raise NotFound(f"{path.name} cannot be read: {exc.strerror}") from exc
