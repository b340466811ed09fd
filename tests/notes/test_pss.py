"""
The encoding is that of RFC 8017: as RFC 9474 publishes it, and as `cryptography` writes and reads it.
"""

from __future__ import annotations

import secrets

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from handsel.errors import BodyInvalid
from handsel.notes.pss import encode_pss
from tests.notes.rfc9474 import Vector, read_vectors

PUBLISHED = [vector for vector in read_vectors().vectors if vector.encoded_msg is not None]


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector.name)
def test_the_encoding_is_the_published_one(vector: Vector) -> None:
    bits = int(read_vectors().n, 16).bit_length() - 1

    encoded = encode_pss(bytes.fromhex(vector.input_msg), bits=bits, salt=bytes.fromhex(vector.salt))

    assert encoded.hex() == vector.encoded_msg


@pytest.mark.parametrize("size", [2048, 2050, 2052, 2054, 2056])
@pytest.mark.parametrize("salt_bytes", [0, 20, 48])
def test_a_key_of_any_size_signs_what_cryptography_verifies(size: int, salt_bytes: int) -> None:
    """
    The first bits are cleared as the size of the key asks for: plain `pow` is the second implementation here.
    """
    key, message, salt = generate_private_key(65537, size), secrets.token_bytes(40), secrets.token_bytes(salt_bytes)
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n

    encoded = encode_pss(message, bits=modulus.bit_length() - 1, salt=salt)

    signature = pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes((key.key_size + 7) // 8, "big")
    padding = PSS(MGF1(hashes.SHA384()), salt_bytes)
    key.public_key().verify(signature, message, padding, hashes.SHA384())


def test_a_modulus_has_room_for_digest_and_salt() -> None:
    least = 8 * (48 + 48 + 2)

    assert len(encode_pss(b"m", bits=least, salt=bytes(48))) == 98
    with pytest.raises(BodyInvalid):
        encode_pss(b"m", bits=least - 8, salt=bytes(48))
