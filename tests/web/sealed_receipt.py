"""
Hold a receipt that was sealed once, with everything that it was sealed with: what Python seals the browser opens.

`python -m tests.web.sealed_receipt` seals another; then what the browser has to open is new, and nothing else.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.receipt import SignedStatement, seal_receipt
from tests.test_receipt import signed

VECTOR = Path(__file__).parent / "vectors" / "sealed-receipt.json"


class Vector(msgspec.Struct, frozen=True):
    """
    Hold one sealed receipt: the wallet's secret and the number of the key, what they make, and what was sealed.
    """

    secret: str
    number: int
    private: str
    public: str
    sealed: str
    content: SignedStatement


def read_vector() -> Vector:
    """
    Return the vector that is kept.
    """
    return msgspec.json.decode(VECTOR.read_bytes(), type=Vector)


def derive(secret: bytes, number: int) -> X25519PrivateKey:
    """
    Return the key of that number, as the browser makes it: HKDF-SHA256 of the secret, RFC 5869.
    """
    info = f"handsel/v1/receipt-key/{number}".encode()
    return X25519PrivateKey.from_private_bytes(HKDF(hashes.SHA256(), 32, b"", info).derive(secret))


def _make() -> Vector:
    secret, number = bytes(range(32)), 7
    key = derive(secret, number)
    public = key.public_key().public_bytes_raw()
    content = signed()
    sealed = seal_receipt(content, receipt_key=public)
    return Vector(secret.hex(), number, key.private_bytes_raw().hex(), public.hex(), sealed.hex(), content)


if __name__ == "__main__":
    VECTOR.write_bytes(msgspec.json.format(msgspec.json.encode(_make())) + b"\n")
