"""
Blind what the issuer is to sign, and unblind what it signed: the part of whoever makes notes, RFC 9474 §4.2 and §4.4.

With a fresh factor r the issuer sees z = m · rᵉ mod n. For every message there is one r that makes it this z, all of
them equally likely: so z says nothing about m, to whoever may compute as long as they like. Only the public key is
used.

LIMITATIONS: How long the arithmetic takes depends on the numbers. Somebody who can time this process to the microsecond
might learn something of r, and so recognise the note. The caller keeps the inverse as secret as a note, draws a factor
for one message only, and checks what `unblind` returns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from gmpy2 import invert, powmod

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
    inverse = _inverse(factor, key)
    return Blinded(_blinded(message, key=key, salt=salt, factor=factor), _octets(inverse, key))


def blind_again(message: bytes, *, key: RSAPublicKey, salt: bytes, inverse: bytes) -> bytes:
    """
    Return what `blind` has made of `message` with this salt and the factor of this inverse. Raises `BodyInvalid`.
    """
    if len(inverse) != _size(key):
        raise BodyInvalid("the inverse of a factor is as long as the modulus")
    return _blinded(message, key=key, salt=salt, factor=_inverse(int.from_bytes(inverse, "big"), key))


def unblind(signature: bytes, *, inverse: bytes, key: RSAPublicKey) -> bytes:
    """
    Return the signature of the message itself, not checked yet. Raises `SignatureInvalid` where its size is wrong.
    """
    if len(signature) != _size(key):
        raise SignatureInvalid("a blind signature is as long as the modulus")
    product = int.from_bytes(signature, "big") * int.from_bytes(inverse, "big")
    return _octets(product % key.public_numbers().n, key)


def _blinded(message: bytes, *, key: RSAPublicKey, salt: bytes, factor: int) -> bytes:
    public = key.public_numbers()
    encoded = int.from_bytes(encode_pss(message, bits=public.n.bit_length() - 1, salt=salt), "big")
    if math.gcd(encoded, public.n) != 1:
        raise BodyInvalid("this cannot be blinded: draw another message and factor")
    return _octets(encoded * int(powmod(factor, public.e, public.n)) % public.n, key)


def _inverse(number: int, key: RSAPublicKey) -> int:
    try:
        return int(invert(number, key.public_numbers().n))
    except ZeroDivisionError as exc:
        raise BodyInvalid("this cannot be blinded: draw another message and factor") from exc


def _size(key: RSAPublicKey) -> int:
    return (key.key_size + 7) // 8


def _octets(number: int, key: RSAPublicKey) -> bytes:
    return number.to_bytes(_size(key), "big")
