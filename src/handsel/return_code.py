"""
Hold the return code: with it a shop pays back without a palm, and of it follows by which id the issuer knows a charge.

The till draws it for a charge and tells it to the customer alone. Hashes of it go to others, under labels of their own:
the order id to the issuer, and the return digest to the acquirer, which knows the code again when it is brought. Who
has both and no code cannot tell which two belong together but by trying codes, of which there are 2^100.

Between code and order id lies the nonce. The acquirer is told it when a charge begins, and writes it nowhere: with it
the acquirer sees that the order id, and the serials of the notes, are those of this charge and of no other.

The module knows no palm, no account and no database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Callable

from handsel.errors import BodyInvalid
from handsel.ids import ID_BYTES, require_id

RETURN_CODE_LETTERS = 20  # Of five bits each, as RFC 4648 §6 has them, in lower case.
RETURN_DIGEST_BYTES = 32
NONCE_BYTES = 16
_RANDOM_BYTES = 13  # 104 bits, of which the last four are not used.
_CODE = re.compile(r"[a-z2-7]{20}")


def draw_return_code(random_bytes: Callable[[int], bytes]) -> str:
    """
    Return a fresh return code: 20 letters and digits, 100 random bits.
    """
    return b32encode(random_bytes(_RANDOM_BYTES)).decode().lower()[:RETURN_CODE_LETTERS]


def read_return_code(typed: str) -> str:
    """
    Return the return code that somebody typed, in groups or not, in whichever case. Raises `BodyInvalid`.
    """
    code = "".join(typed.split()).replace("-", "").lower()
    if not _CODE.fullmatch(code):
        raise BodyInvalid(f"a return code has {RETURN_CODE_LETTERS} letters and digits: compare it with the receipt")
    return code


def nonce_of(return_code: str) -> str:
    """
    Return the nonce of the charge of a return code: 32 hexadecimal digits.
    """
    return hashlib.sha256(b"handsel/v1/charge-nonce\0" + return_code.encode()).digest()[:NONCE_BYTES].hex()


def order_id_of(return_code: str, *, charge_id: str) -> str:
    """
    Return the id by which the issuer knows the charge of a return code: 32 hexadecimal digits.
    """
    return order_id_from(nonce_of(return_code), charge_id=charge_id)


def order_id_from(nonce: str, *, charge_id: str) -> str:
    """
    Return the id by which the issuer knows a charge, as the acquirer computes it. Raises `BodyInvalid` for what is no
    nonce or id.
    """
    hashed = hashlib.sha256(b"handsel/v1/order-id\0" + (require_id(charge_id) + require_id(nonce)).encode())
    return hashed.digest()[:ID_BYTES].hex()


def note_serial(nonce: str, *, charge_id: str, index: int) -> bytes:
    """
    Return the serial of the note of a charge that is asked for in place `index`: 32 bytes.

    At one acquirer no two charges have one in common: notes that are there already never stand in another's way.
    Who has not got the nonce cannot tell it from random bytes. Raises `BodyInvalid` as `order_id_from`.
    """
    tied = (require_id(charge_id) + require_id(nonce)).encode() + index.to_bytes(4, "big")
    return hashlib.sha256(b"handsel/v1/note-serial\0" + tied).digest()


def return_digest_of(return_code: str, *, charge_id: str) -> bytes:
    """
    Return by what the acquirer knows the code of a charge again: 32 bytes. Raises `BodyInvalid` for an ill-formed id.
    """
    return hashlib.sha256(b"handsel/v1/return-code\0" + (require_id(charge_id) + return_code).encode()).digest()


def fits_digest(return_code: str, *, charge_id: str, digest: bytes) -> bool:
    """
    Return whether a return code is that of the charge, in the same time whatever differs.
    """
    return hmac.compare_digest(return_digest_of(return_code, charge_id=charge_id), digest)


def find_order(return_code: str, *, charge_id: str, digest: bytes | None) -> str | None:
    """
    Return the order id to which a return code leads, if it is that of the charge; a charge without a digest has none.
    """
    is_its_own = digest is not None and fits_digest(return_code, charge_id=charge_id, digest=digest)
    return order_id_of(return_code, charge_id=charge_id) if is_its_own else None
