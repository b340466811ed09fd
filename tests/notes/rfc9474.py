"""
Read the test vectors of RFC 9474.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

VECTORS = Path(__file__).parent / "vectors" / "rfc9474.json"


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hold one case, in hexadecimal, under the names of the RFC. An `encoded_msg` is not published for every case.
    """

    name: str
    msg: str
    msg_prefix: str
    input_msg: str
    salt: str
    inv: str
    blinded_msg: str
    blind_sig: str
    sig: str
    encoded_msg: str | None = None


class Vectors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Hold all cases, and the key that they share.
    """

    source: str
    p: str
    q: str
    n: str
    e: str
    d: str
    vectors: tuple[Vector, ...]

    def private(self) -> RSAPrivateKey:
        """
        Return the key.
        """
        p, q, d = int(self.p, 16), int(self.q, 16), int(self.d, 16)
        public = RSAPublicNumbers(int(self.e, 16), int(self.n, 16))
        crt = rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q)
        return RSAPrivateNumbers(p, q, d, *crt, public).private_key()


def read_vectors() -> Vectors:
    """
    Return the vectors as they are in the file.
    """
    return msgspec.json.decode(VECTORS.read_bytes(), type=Vectors)
