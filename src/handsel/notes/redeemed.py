"""
State that a note was redeemed before, so that whoever is refused can show it to others, without asking the issuer.

The statement names the note, when it was redeemed, and a digest of the id of the redemption: who redeemed it knows the
id and can show that it was they; nobody else learns from it who it was. It names no acquirer and no wallet.
"""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from handsel.errors import SignatureInvalid

CONTEXT = b"handsel/v1/redeemed-before\0"


class RedeemedBefore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    State that the note of that serial and key was redeemed at that time.
    """

    serial: bytes
    key_id: str
    redemption: bytes
    redeemed_ms: int

    def __repr__(self) -> str:
        """
        Return nothing of the note.
        """
        return "RedeemedBefore()"


class RedemptionProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a statement, encoded, and the root key's signature over it.
    """

    content: bytes
    signature: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the note.
        """
        return "RedemptionProof()"


def redemption_digest(redemption_id: str) -> bytes:
    """
    Return SHA-256 of the id of a redemption. Ids are random, so that nobody finds one by trying.
    """
    return hashlib.sha256(b"handsel/v1/redemption\0" + redemption_id.encode()).digest()


def prove(statement: RedeemedBefore, *, root: Ed25519PrivateKey) -> RedemptionProof:
    """
    Return the signed statement: the same one each time.
    """
    content = msgspec.msgpack.encode(statement)
    return RedemptionProof(content, root.sign(CONTEXT + content))


def open_proof(proof: RedemptionProof, *, root: bytes, serial: bytes) -> RedeemedBefore:
    """
    Return what an issuer with that root key has stated of the note `serial`. Raises `SignatureInvalid`.
    """
    try:
        Ed25519PublicKey.from_public_bytes(root).verify(proof.signature, CONTEXT + proof.content)
        statement = msgspec.msgpack.decode(proof.content, type=RedeemedBefore)
    except (InvalidSignature, ValueError, msgspec.MsgspecError) as exc:
        raise SignatureInvalid("this does not prove that a note was redeemed") from exc
    if statement.serial != serial:
        raise SignatureInvalid("this proves that another note was redeemed")
    return statement
