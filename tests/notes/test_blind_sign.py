"""
The private operation is right, the same each time, and lets nothing out that is wrong.
"""

from __future__ import annotations

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from handsel.errors import BodyInvalid, InvariantBroken
from handsel.notes.blind_sign import BlindSigner


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    """
    Return a key, made once.
    """
    return generate_private_key(65537, 2048)


def test_it_is_the_power_to_the_private_exponent(key: RSAPrivateKey) -> None:
    """
    A second implementation, plain `pow` without the remainder theorem, has the same results.
    """
    numbers, signer = key.private_numbers(), BlindSigner(key)
    modulus = numbers.public_numbers.n
    for message in (0, 1, numbers.p, modulus - 1, *(secrets.randbelow(modulus) for _ in range(20))):
        expected = pow(message, numbers.d, modulus).to_bytes(256, "big")

        assert signer.sign(message.to_bytes(256, "big")) == expected


def test_the_same_message_has_the_same_signature(key: RSAPrivateKey) -> None:
    blinded = secrets.randbelow(key.public_key().public_numbers().n).to_bytes(256, "big")

    assert len({BlindSigner(key).sign(blinded) for _ in range(5)}) == 1


def test_a_blinded_message_is_less_than_the_modulus_and_as_long(key: RSAPrivateKey) -> None:
    modulus, signer = key.public_key().public_numbers().n, BlindSigner(key)

    assert signer.can_sign((modulus - 1).to_bytes(256, "big"))
    for refused in (modulus.to_bytes(256, "big"), b"\xff" * 256, b"", b"\x01" * 255, bytes(257)):
        assert not signer.can_sign(refused)
        with pytest.raises(BodyInvalid):
            signer.sign(refused)


@pytest.mark.parametrize("broken", ["_dp", "_dq", "_q_inverse"])
def test_a_fault_in_the_private_operation_betrays_nothing(key: RSAPrivateKey, broken: str) -> None:
    """
    A signature that is right modulo one prime only would give the factors away: it does not leave.
    """
    signer = BlindSigner(key)
    setattr(signer, broken, getattr(signer, broken) + 2)

    with pytest.raises(InvariantBroken):
        signer.sign(secrets.token_bytes(256)[:-1].rjust(256, b"\0"))


def test_a_signer_prints_nothing_of_its_key(key: RSAPrivateKey) -> None:
    assert str(key.private_numbers().p) not in repr(BlindSigner(key))
