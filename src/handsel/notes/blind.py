"""
Blind what the issuer is to sign, and unblind what it signed: the part of whoever makes notes, RFC 9474 §4.2 and §4.4.

With a fresh factor r the issuer sees z = m · rᵉ mod n. For every message there is one r that makes it this z, all of
them equally likely: so z says nothing about m, to whoever may compute as long as they like. Only the public key is
used.

LIMITATIONS: Python's own integers do the arithmetic, and how long they take depends on the numbers. Somebody who can
time this process to the microsecond might learn something of r, and so recognise the note. The caller keeps the inverse
as secret as a note, draws a factor for one message only, and checks what `unblind` returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.pss import encode_pss

EXTRA_BYTES = 16  # NIST FIPS 186-5 A.2.1: with 128 bits to spare, what is left after a division is as good as uniform.


@dataclass(frozen=True, repr=False)
class Blinded:
    """
    Hold a blinded message, to send, and the inverse of its factor, to keep: each as long as the modulus.
    """

    message: bytes
    inverse: bytes


def draw_factor(key: RSAPublicKey, *, random_bytes: Callable[[int], bytes]) -> int:
    """
    Return a number from 1 to n - 1, each as likely as any other.
    """
    modulus = key.public_numbers().n
    return 1 + int.from_bytes(random_bytes(_size(key) + EXTRA_BYTES), "big") % (modulus - 1)


def blind(message: bytes, *, key: RSAPublicKey, salt: bytes, factor: int) -> Blinded:
    """
    Return `message`, prepared already (RFC 9474 §4.1), as the issuer may see it. Raises `BodyInvalid`.

    It is raised where message or factor share a divisor with the modulus: whoever finds such a one has broken the key.
    """
    public = key.public_numbers()
    encoded = int.from_bytes(encode_pss(message, bits=public.n.bit_length() - 1, salt=salt), "big")
    if math.gcd(encoded, public.n) != 1 or math.gcd(factor, public.n) != 1:
        raise BodyInvalid("this cannot be blinded: draw another message and factor")
    blinded = encoded * pow(factor, public.e, public.n) % public.n
    return Blinded(_octets(blinded, key), _octets(pow(factor, -1, public.n), key))


def unblind(signature: bytes, *, inverse: bytes, key: RSAPublicKey) -> bytes:
    """
    Return the signature of the message itself, not checked yet. Raises `SignatureInvalid` where its size is wrong.
    """
    if len(signature) != _size(key):
        raise SignatureInvalid("a blind signature is as long as the modulus")
    product = int.from_bytes(signature, "big") * int.from_bytes(inverse, "big")
    return _octets(product % key.public_numbers().n, key)


def _size(key: RSAPublicKey) -> int:
    return (key.key_size + 7) // 8


def _octets(number: int, key: RSAPublicKey) -> bytes:
    return number.to_bytes(_size(key), "big")
