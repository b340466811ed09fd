"""
Hold a note, money for whoever holds it, and the public keys that tell a genuine one.

A note is checked as RFC 9474 §4.5 checks a signature: plain RSASSA-PSS with SHA-384, a salt of 48 bytes, and a message
that begins with 32 bytes which nobody can guess. The module knows no private key.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from handsel.errors import BodyInvalid, SignatureInvalid
from handsel.ids import ID_BYTES
from handsel.notes.denomination import DENOMINATIONS
from handsel.notes.period import MARGIN_MS, Period
from handsel.order import NoteRequest

SERIAL_BYTES = 32  # The random prefix of RSABSSA-SHA384-PSS-Randomized, RFC 9474 §4.1.
SALT_BYTES = 48  # RFC 9474 §5: as long as the digest of SHA-384.
KEY_BITS = 2048  # RFC 9474 §7.3 recommends at least this; NIST SP 800-57 part 1 allows it until the end of 2030.
PADDING = PSS(MGF1(hashes.SHA384()), SALT_BYTES)
PUBLIC_KEYS_MAX = 256


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry one note. Its denomination and currency are those of its key.
    """

    key_id: str
    serial: bytes
    signature: bytes

    def __post_init__(self) -> None:
        """
        Refuse what cannot be a note. Raises `BodyInvalid`.
        """
        if len(self.serial) != SERIAL_BYTES or len(self.signature) != KEY_BITS // 8:
            raise BodyInvalid("a note has a serial of 32 bytes and a signature of 256")

    def __repr__(self) -> str:
        """
        Return nothing of the note: who reads it could spend it.
        """
        return "Note()"


class PublicNoteKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Announce the key of one denomination and period. `public` is its SubjectPublicKeyInfo in DER, `key_id` a hash of it.
    """

    key_id: str
    denomination_minor: int
    currency: str
    public: bytes
    period: Period

    def __post_init__(self) -> None:
        """
        Refuse a key under another key's id, or of a denomination that does not exist. Raises `BodyInvalid`.
        """
        if self.key_id != key_id_of(self.public):
            raise BodyInvalid("a note key must stand under its own id")
        if self.denomination_minor not in DENOMINATIONS:
            raise BodyInvalid("a note key must be for one of the denominations")

    def rsa(self) -> RSAPublicKey:
        """
        Return the key itself. Raises `BodyInvalid` unless it is an RSA key of 2048 bits.
        """
        return _rsa(self.public)


class PublicNoteKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Announce the keys of all denominations (issuer → acquirer → till).
    """

    keys: tuple[PublicNoteKey, ...]

    def __post_init__(self) -> None:
        """
        Refuse a list in which an id stands twice, or that is longer than any issuer's. Raises `BodyInvalid`.
        """
        if len(self.keys) > PUBLIC_KEYS_MAX or len({key.key_id for key in self.keys}) != len(self.keys):
            raise BodyInvalid(f"a list of note keys has at most {PUBLIC_KEYS_MAX}, each once")

    def find(self, key_id: str) -> PublicNoteKey | None:
        """
        Return the key of that id, or None.
        """
        return next((key for key in self.keys if key.key_id == key_id), None)

    def require(self, key_id: str) -> PublicNoteKey:
        """
        Return the key of that id. Raises `BodyInvalid`.
        """
        key = self.find(key_id)
        if key is None:
            raise BodyInvalid("the issuer announces no such note key: fetch its list again")
        return key

    def for_denomination(self, denomination_minor: int, *, currency: str, now_ms: int) -> PublicNoteKey | None:
        """
        Return the key with which notes of a denomination are signed now, or None.

        Where two do, it is the older one until an hour before its end: everybody changes at the same time.
        """
        wanted = (denomination_minor, currency)
        mine = [key for key in self.keys if (key.denomination_minor, key.currency) == wanted]
        signing = [key for key in mine if key.period.signs_at(now_ms)]
        lasting = [key for key in signing if key.period.signs_at(now_ms + MARGIN_MS)]
        return min(lasting or signing, key=lambda key: key.period.valid_from_ms, default=None)


@lru_cache(maxsize=PUBLIC_KEYS_MAX)
def _rsa(public: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(public)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise BodyInvalid("a note key must be a public key in DER") from exc
    if not isinstance(key, RSAPublicKey) or key.key_size != KEY_BITS:
        raise BodyInvalid(f"a note key must be an RSA key of {KEY_BITS} bits")
    return key


def key_id_of(public: bytes) -> str:
    """
    Return the id of a note key: SHA-256 of its SubjectPublicKeyInfo, cut to 16 bytes, in hexadecimal.
    """
    return hashlib.sha256(b"handsel/v1/note-key\0" + public).digest()[:ID_BYTES].hex()


def note_message(serial: bytes, *, key_id: str) -> bytes:
    """
    Return what is signed in a note: its serial, which is the random prefix of RFC 9474 §4.1, and what it is.
    """
    return serial + b"handsel/v1/note\0" + key_id.encode()


def verify_note(note: Note, *, keys: PublicNoteKeys) -> PublicNoteKey:
    """
    Return the key of a genuine note, which tells its worth. Raises `SignatureInvalid`.
    """
    key = keys.find(note.key_id)
    if key is None:
        raise SignatureInvalid("the note was signed with a key that its issuer does not announce")
    message = note_message(note.serial, key_id=note.key_id)
    try:
        key.rsa().verify(note.signature, message, PADDING, hashes.SHA384())
    except InvalidSignature as exc:
        raise SignatureInvalid("the note is not genuine") from exc
    return key


def total_of_requests(requests: tuple[NoteRequest, ...], *, currency: str, keys: PublicNoteKeys) -> int | None:
    """
    Return what the requested notes are worth together, or None where one names no key of this currency.
    """
    found = tuple(keys.find(request.key_id) for request in requests)
    known = tuple(key for key in found if key is not None and key.currency == currency)
    return sum(key.denomination_minor for key in known) if len(known) == len(requests) else None
