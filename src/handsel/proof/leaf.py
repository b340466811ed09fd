"""
Write one step of a ledger as a leaf, so that its hash stands for all of it and tells nobody anything of it.

Which account a step debits and which it credits, and what is on each after it, are four *commitments*: hashes with 16
secret bytes each. Who is shown a leaf is shown what is theirs, and of the rest the commitments: a customer learns that
a shop was paid, and not how often or how much it has; a shop its own line, and nothing of the other side. Nobody finds
a leaf from its hash by trying, since all four would have to be found at once.

The layout is in docs/proofs.md. It has a version, and never changes under the same one.
"""

from __future__ import annotations

import hashlib
import re
import struct
from hashlib import sha256

import msgspec

from handsel.errors import BodyInvalid, ProofInvalid
from handsel.ids import id_to_bytes
from handsel.proof.merkle import HASH_BYTES, leaf_hash

VERSION = 1
NONCE_BYTES = 16
SECRET_BYTES = 32
DEBIT, CREDIT = "debit", "credit"
KINDS = {"post": 1, "reserve": 2, "capture": 3, "release": 4, "expire": 5}

HAPPENED, PENDING, LINKED = 1, 2, 4  # What of the optional is there.

_NO_ID = bytes(16)
_CURRENCY = re.compile(r"[A-Z]{3}|")
_HEAD = struct.Struct(">BQ16sBBQ3sQQ16s16s32s32s32s32s")
_RUNNING = struct.Struct(">B16sQq")
_SEQUENCE = struct.Struct(">Q")


class Commitments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for one side of a step: which account it is, and its running number and balance.
    """

    account: bytes
    running: bytes

    def __post_init__(self) -> None:
        """
        Refuse what is no hash. Raises `ProofInvalid`.
        """
        if len(self.account) != HASH_BYTES or len(self.running) != HASH_BYTES:
            raise ProofInvalid("a commitment has 32 bytes")


class AccountOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Open which account a commitment stands for.
    """

    account: str
    nonce: bytes

    def commitment(self) -> bytes:
        """
        Return the commitment that this opens.
        """
        return commit_account(self.account, _nonce(self.nonce))

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "AccountOpening()"


class RunningOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Open which entry of its account this is, counted from 1, and what it leaves: credits less debits.
    """

    number: int
    balance_minor: int
    nonce: bytes

    def commitment(self) -> bytes:
        """
        Return the commitment that this opens. Raises `ProofInvalid`.
        """
        try:
            return commit_running(self.number, self.balance_minor, _nonce(self.nonce))
        except struct.error as exc:
            raise ProofInvalid("a number is out of range") from exc

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "RunningOpening()"


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Hold one step as it is shown. `refusal` says why a step that was refused was; it has no entries then.

    A step that books none has commitments all the same: to its accounts, and to the number 0.
    """

    sequence: int
    id: str
    kind: str
    amount_minor: int
    currency: str
    code: str
    at_ms: int
    debit: Commitments
    credit: Commitments
    happened_at_ms: int | None = None
    pending_id: str | None = None
    link_id: str | None = None
    refusal: str = ""

    def __post_init__(self) -> None:
        """
        Refuse a currency that would be cut, or that is none. Raises `ProofInvalid`.
        """
        if not _CURRENCY.fullmatch(self.currency):
            raise ProofInvalid("this is no leaf of a ledger")

    def hash(self) -> bytes:
        """
        Return the hash of the leaf. Raises `ProofInvalid` where it is none.
        """
        try:
            return leaf_hash(
                encode(
                    self.sequence,
                    id_to_bytes(self.id),
                    KINDS[self.kind],
                    self.amount_minor,
                    self.currency,
                    self.at_ms,
                    self.happened_at_ms,
                    None if self.pending_id is None else id_to_bytes(self.pending_id),
                    None if self.link_id is None else id_to_bytes(self.link_id),
                    (self.debit.account, self.debit.running, self.credit.account, self.credit.running),
                    self.code,
                    self.refusal,
                )
            )
        except (struct.error, KeyError, ValueError, BodyInvalid) as exc:
            raise ProofInvalid("this is no leaf of a ledger") from exc

    def side(self, side: str) -> Commitments:
        """
        Return the commitments of one side.
        """
        return self.debit if side == DEBIT else self.credit

    def __repr__(self) -> str:
        """
        Return nothing of the step.
        """
        return "Leaf()"


def encode(
    sequence: int,
    step_id: bytes,
    kind: int,
    amount_minor: int,
    currency: str,
    at_ms: int,
    happened_at_ms: int | None,
    pending_id: bytes | None,
    link_id: bytes | None,
    commitments: tuple[bytes, bytes, bytes, bytes],
    code: str,
    refusal: str,
) -> bytes:
    """
    Return the bytes of a leaf: the same ones for the same step, and other ones for any other.
    """
    flags = (
        (0 if happened_at_ms is None else HAPPENED)
        | (0 if pending_id is None else PENDING)
        | (0 if link_id is None else LINKED)
    )
    head = _HEAD.pack(
        VERSION,
        sequence,
        step_id,
        kind,
        flags,
        amount_minor,
        currency.encode("ascii"),
        at_ms,
        happened_at_ms or 0,
        pending_id or _NO_ID,
        link_id or _NO_ID,
        *commitments,
    )
    words = code.encode("ascii"), refusal.encode("ascii")
    return b"".join((head, bytes((len(words[0]),)), words[0], bytes((len(words[1]),)), words[1]))


def commit_account(account: str, nonce: bytes) -> bytes:
    """
    Return the commitment to an account.
    """
    return sha256(b"\2" + nonce + account.encode()).digest()


def commit_running(number: int, balance_minor: int, nonce: bytes) -> bytes:
    """
    Return the commitment to the number of an entry and the balance that it leaves.
    """
    return sha256(_RUNNING.pack(3, nonce, number, balance_minor)).digest()


def nonces(secret: bytes, sequence: int) -> tuple[bytes, bytes, bytes, bytes]:
    """
    Return the secret bytes of a leaf: of the debited account and what is on it, and of the credited one likewise.

    They are SHA-512 of the ledger's secret and the place: no row needs to hold them, and one tells nothing of another.
    """
    drawn = hashlib.sha512(secret + _SEQUENCE.pack(sequence)).digest()
    return drawn[:16], drawn[16:32], drawn[32:48], drawn[48:]


def _nonce(nonce: bytes) -> bytes:
    if len(nonce) != NONCE_BYTES:
        raise ProofInvalid(f"the secret bytes of a commitment are {NONCE_BYTES}")
    return nonce
