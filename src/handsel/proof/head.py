"""
Sign how long a list is and what its root is: after that, nothing in it can be changed unnoticed.

A party signs with a key of its own for this, its *tree key*, one head for each size, ever. Two heads of one size with
different roots, or two of which the later does not begin with the earlier, are proof that it lied.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import ConfigError, ProofInvalid, SignatureInvalid
from handsel.keys import KEY_BYTES, read_private_file, verify_with, write_private_file
from handsel.proof.merkle import HASH_BYTES, verify_consistency

CONTEXT = "handsel/v1/tree-head"
_PARTY = re.compile(r"[a-z][a-z-]{0,39}")


class TreeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hold the public half of a tree key, and whose it is: `issuer` or `acquirer`.
    """

    party: str
    key: bytes

    def __post_init__(self) -> None:
        """
        Refuse what is no key. Raises `ProofInvalid`.
        """
        if len(self.key) != KEY_BYTES or not _PARTY.fullmatch(self.party):
            raise ProofInvalid("a tree key names a party, and has 32 bytes: copy the party's tree.pub again")


class TreeHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    State that the list of a party had `size` leaves and that root, at a time.
    """

    party: str
    size: int
    root: bytes
    at_ms: int

    def __post_init__(self) -> None:
        """
        Refuse nonsense. Raises `ProofInvalid`.
        """
        if self.size < 0 or self.at_ms < 0 or len(self.root) != HASH_BYTES or not _PARTY.fullmatch(self.party):
            raise ProofInvalid("this is no head of a tree")

    def statement(self) -> bytes:
        """
        Return what is signed: five lines of text.
        """
        root = b64encode(self.root).decode()
        return f"{CONTEXT}\n{self.party}\n{self.size}\n{root}\n{self.at_ms}\n".encode()


class SignedHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a head and its party's signature.
    """

    head: TreeHead
    signature: bytes

    def verify(self, key: TreeKey) -> TreeHead:
        """
        Return the head. Raises `SignatureInvalid` where the holder of `key` has not signed it.
        """
        if key.party != self.head.party:
            raise SignatureInvalid("this is the head of another party: use the tree.pub of the one that signed it")
        verify_with(key.key, self.head.statement(), signature=self.signature)
        return self.head


class GrowthProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry the hashes that show that a list of `first` leaves became one of `second` by nothing but adding.
    """

    first: int
    second: int
    hashes: tuple[bytes, ...]


def sign_head(head: TreeHead, key: Ed25519PrivateKey) -> SignedHead:
    """
    Return the head with its signature.
    """
    return SignedHead(head, key.sign(head.statement()))


def older_first(one: SignedHead, other: SignedHead) -> tuple[SignedHead, SignedHead]:
    """
    Return two heads of one party, that over fewer leaves first; of one size in the order in which they are given.
    """
    return (other, one) if other.head.size < one.head.size else (one, other)


def verify_growth(older: SignedHead, newer: SignedHead, proof: GrowthProof | None, *, key: TreeKey) -> None:
    """
    Check that both heads are signed, and that the list of the newer begins with that of the older.

    Two heads of one size need no proof. Raises `SignatureInvalid` and `ProofInvalid`.
    """
    first, second = older.verify(key), newer.verify(key)
    hashes: tuple[bytes, ...] = ()
    if first.size != second.size:
        if proof is None or (proof.first, proof.second) != (first.size, second.size):
            raise ProofInvalid(
                f"this takes the proof from {first.size} to {second.size}: get it from the party's /v1/tree_consistency"
            )
        hashes = proof.hashes
    verify_consistency(hashes, first=first.size, first_root=first.root, second=second.size, second_root=second.root)


def make_tree_key(path: Path) -> Ed25519PrivateKey:
    """
    Write a new tree key to `path`. Raises `ConfigError` where there is one.
    """
    key = Ed25519PrivateKey.generate()
    write_private_file(path, key.private_bytes_raw())
    return key


def load_tree_key(path: Path) -> Ed25519PrivateKey:
    """
    Read a tree key. Raises `ConfigError` where the file is missing, open to others, or no key.
    """
    try:
        return Ed25519PrivateKey.from_private_bytes(read_private_file(path))
    except ValueError as exc:
        raise ConfigError(f"{path.name} is not a tree key: restore it from its backup") from exc


def public_half(key: Ed25519PrivateKey, *, party: str) -> TreeKey:
    """
    Return the public half of a tree key.
    """
    return TreeKey(party, key.public_key().public_bytes_raw())
