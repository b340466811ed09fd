"""
Blinding is that of RFC 9474, and hides: every blinded message goes with every note.
"""

from __future__ import annotations

import math
import secrets
from itertools import product

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.notes.blind import blind, blind_again, draw_factor, unblind
from handsel.notes.blind_sign import BlindSigner
from tests.notes.rfc9474 import Vector, read_vectors

PADDING = PSS(MGF1(hashes.SHA384()), 48)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    """
    Return a key, made once.
    """
    return generate_private_key(65537, 2048)


@pytest.mark.parametrize("vector", read_vectors().vectors, ids=lambda vector: vector.name)
def test_every_step_is_the_published_one(vector: Vector) -> None:
    """
    Prepare, blind, sign blindly, unblind: all four variants, each step against the RFC.
    """
    private = read_vectors().private()
    public, salt = private.public_key(), bytes.fromhex(vector.salt)
    prepared = bytes.fromhex(vector.msg_prefix + vector.msg)
    factor = pow(int(vector.inv, 16), -1, public.public_numbers().n)

    blinded = blind(prepared, key=public, salt=salt, factor=factor)
    signed = BlindSigner(private).sign(blinded.message)
    signature = unblind(signed, inverse=blinded.inverse, key=public)

    assert prepared.hex() == vector.input_msg
    assert blinded.inverse.hex() == vector.inv
    assert blinded.message.hex() == vector.blinded_msg
    assert blind_again(prepared, key=public, salt=salt, inverse=blinded.inverse) == blinded.message
    assert signed.hex() == vector.blind_sig
    assert signature.hex() == vector.sig
    public.verify(signature, prepared, PSS(MGF1(hashes.SHA384()), len(salt)), hashes.SHA384())


def test_a_blind_signature_verifies_with_plain_rsassa_pss(key: RSAPrivateKey) -> None:
    message = secrets.token_bytes(64)
    public = key.public_key()
    factor = draw_factor(public, random_bytes=secrets.token_bytes)

    blinded = blind(message, key=public, salt=secrets.token_bytes(48), factor=factor)
    signature = unblind(BlindSigner(key).sign(blinded.message), inverse=blinded.inverse, key=public)

    public.verify(signature, message, PADDING, hashes.SHA384())


def test_every_blinded_message_goes_with_every_note(key: RSAPrivateKey) -> None:
    """
    What the issuer saw and what was redeemed fit in all pairs alike: for each there is a factor that joins them.
    """
    public, signer = key.public_key(), BlindSigner(key)
    modulus, seen, notes = public.public_numbers().n, [], []
    for _ in range(4):
        factor = draw_factor(public, random_bytes=secrets.token_bytes)
        message, salt = secrets.token_bytes(64), secrets.token_bytes(48)
        blinded = blind(message, key=public, salt=salt, factor=factor)
        signed = signer.sign(blinded.message)
        seen.append((blinded.message, signed))
        notes.append((message, salt, unblind(signed, inverse=blinded.inverse, key=public)))

    for (blinded_message, signed), (message, salt, signature) in product(seen, notes):
        factor = int.from_bytes(signed, "big") * pow(int.from_bytes(signature, "big"), -1, modulus) % modulus
        again = blind(message, key=public, salt=salt, factor=factor)
        assert again.message == blinded_message
        assert unblind(signed, inverse=again.inverse, key=public) == signature


def test_a_factor_lies_between_one_and_the_modulus(key: RSAPrivateKey) -> None:
    public = key.public_key()
    modulus = public.public_numbers().n

    assert draw_factor(public, random_bytes=bytes) == 1
    assert draw_factor(public, random_bytes=lambda count: (modulus - 2).to_bytes(count, "big")) == modulus - 1
    assert draw_factor(public, random_bytes=lambda count: (modulus - 1).to_bytes(count, "big")) == 1


def test_a_factor_that_has_no_inverse_is_refused(key: RSAPrivateKey) -> None:
    prime = key.private_numbers().p

    assert math.gcd(prime, key.public_key().public_numbers().n) != 1
    with pytest.raises(BodyInvalid):
        blind(b"m", key=key.public_key(), salt=bytes(48), factor=prime)


@pytest.mark.parametrize("size", [0, 255, 257])
def test_what_has_not_the_length_of_a_signature_is_refused(key: RSAPrivateKey, size: int) -> None:
    with pytest.raises(SignatureInvalid):
        unblind(bytes(size), inverse=bytes(256), key=key.public_key())
