"""
Certificates: of one key, told from any other, and refused before they end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from handsel.certificate import (
    CERTIFICATE_BYTES_MAX,
    LEFT_DAYS_MIN,
    VALID_DAYS,
    make_certificate,
    require_certificate_of,
    require_lasting,
)
from handsel.errors import ConfigError
from handsel.keys import PartyKeys

DAY_MS = 24 * 3600 * 1000
NOW_MS = 1_800_000_000_000
KEYS = PartyKeys.generate()
CERTIFICATE = make_certificate(KEYS, name="matcher a", now_ms=NOW_MS)


def certificate_of_another_kind() -> bytes:
    """
    Return a certificate of a key with which no party signs: one on the curve P-256.
    """
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_certificate_is_of_the_key_that_signs() -> None:
    require_certificate_of(KEYS.public(), CERTIFICATE)

    parsed = x509.load_der_x509_certificate(CERTIFICATE)
    parsed.verify_directly_issued_by(parsed)  # Signed with its own key.
    assert KEYS.sign.private_bytes_raw() not in CERTIFICATE


def test_certificates_of_one_key_differ() -> None:
    assert make_certificate(KEYS, name="matcher a", now_ms=NOW_MS) != CERTIFICATE


@pytest.mark.parametrize(
    "wrong",
    [
        make_certificate(PartyKeys.generate(), name="matcher a", now_ms=NOW_MS),
        certificate_of_another_kind(),
        CERTIFICATE + b"\0",
        CERTIFICATE[:-1],
        b"",
        bytes(CERTIFICATE_BYTES_MAX),
        bytes(CERTIFICATE_BYTES_MAX + 1),
    ],
    ids=["another key", "another kind", "longer", "shorter", "empty", "zeros", "too long"],
)
def test_what_is_no_certificate_of_the_key_is_refused(wrong: bytes) -> None:
    with pytest.raises(ConfigError, match="certificate"):
        require_certificate_of(KEYS.public(), wrong)


@pytest.mark.parametrize("days", [0, VALID_DAYS - LEFT_DAYS_MIN])
def test_a_certificate_that_lasts_is_taken(days: int) -> None:
    require_lasting(CERTIFICATE, whose="matcher a", now_ms=NOW_MS + days * DAY_MS)


@pytest.mark.parametrize("late_ms", [1, LEFT_DAYS_MIN * DAY_MS, 2 * LEFT_DAYS_MIN * DAY_MS])
def test_a_certificate_that_ends_soon_or_has_ended_is_refused_and_its_end_said(late_ms: int) -> None:
    now_ms = NOW_MS + (VALID_DAYS - LEFT_DAYS_MIN) * DAY_MS + late_ms

    with pytest.raises(ConfigError, match=r"of matcher a ends on 2037-01-14: .*handsel certify"):
        require_lasting(CERTIFICATE, whose="matcher a", now_ms=now_ms)
