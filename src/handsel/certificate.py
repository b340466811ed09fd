"""
Make and check the certificates by which the matchers know each other when they speak TLS.

A certificate (X.509, in DER) carries a party's own Ed25519 key and is signed with it. By itself it proves nothing. It
counts because it stands in the settings of those who are to accept it: nobody reads its name, and no authority vouches.

It lasts for ten years. What renews it is a new one of the same key (`handsel certify`) in the settings of all. The
three matchers are then started again, for each accepts those that it has read. In the last 30 days of a certificate,
its own or a peer's, a matcher does not start. One that runs keeps its connections past the end, and makes no new ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from handsel.errors import ConfigError
from handsel.keys import PartyKeys, PublicKeys

CERTIFICATE_BYTES_MAX = 2048  # Ours have about 250.
VALID_DAYS = 3652  # Ten years.
VALID_BEFORE_DAYS = 1  # A clock that is a little slow accepts it, too.
LEFT_DAYS_MIN = 30  # Time to renew it in.


def make_certificate(keys: PartyKeys, *, name: str, now_ms: int) -> bytes:
    """
    Return a new certificate of the key with which a party signs. `name` is for people who look at it.
    """
    now = _moment(now_ms)
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(issuer_name=names, subject_name=names)
        .public_key(keys.sign.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=VALID_BEFORE_DAYS))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return builder.sign(keys.sign, algorithm=None).public_bytes(Encoding.DER)


def require_certificate_of(keys: PublicKeys, certificate: bytes) -> None:
    """
    Refuse what is no certificate of the key with which that party signs. Raises `ConfigError`.
    """
    try:
        key = _parsed(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ConfigError("a certificate does not parse: copy it again") from exc
    if not isinstance(key, Ed25519PublicKey) or key.public_bytes_raw() != keys.sign:
        raise ConfigError("a certificate is not of the key `sign` beside it: copy both again")


def require_lasting(certificate: bytes, *, whose: str, now_ms: int) -> None:
    """
    Refuse a certificate that has ended, or will within `LEFT_DAYS_MIN`. Raises `ConfigError`.
    """
    end = _parsed(certificate).not_valid_after_utc
    if end - _moment(now_ms) < timedelta(days=LEFT_DAYS_MIN):
        raise ConfigError(
            f"the certificate of {whose} ends on {end:%Y-%m-%d}: make a new one with `handsel certify`, and put it "
            "into the settings of all parties"
        )


def _parsed(certificate: bytes) -> x509.Certificate:
    if len(certificate) > CERTIFICATE_BYTES_MAX:
        raise ConfigError(f"a certificate has at most {CERTIFICATE_BYTES_MAX} bytes")
    return x509.load_der_x509_certificate(certificate)


def _moment(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)
