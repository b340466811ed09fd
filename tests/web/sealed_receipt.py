"""
Hold a receipt that was sealed once, with everything that it was sealed with: what Python seals the browser opens.

`python -m tests.web.sealed_receipt` seals another; then what the browser has to open is new, and nothing else.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from handsel.receipt import PayersReceipt, derive_receipt_key, seal_receipt
from tests.test_receipt import receipt

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
    content: PayersReceipt


def read_vector() -> Vector:
    """
    Return the vector that is kept.
    """
    return msgspec.json.decode(VECTOR.read_bytes(), type=Vector)


def _make() -> Vector:
    secret, number = bytes(range(32)), 7
    key = derive_receipt_key(secret, number)
    public = key.public_key().public_bytes_raw()
    content = receipt()
    sealed = seal_receipt(content, receipt_key=public)
    return Vector(secret.hex(), number, key.private_bytes_raw().hex(), public.hex(), sealed.hex(), content)


if __name__ == "__main__":
    VECTOR.write_bytes(msgspec.json.format(msgspec.json.encode(_make())) + b"\n")
