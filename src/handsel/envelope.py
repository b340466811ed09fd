"""
Seal messages to the one party that is to read them: HPKE (RFC 9180), base mode.

Who carries an envelope learns its length and nothing else. `purpose` is bound in as HPKE's info, so that an envelope
made for one use does not open in another. An envelope says nothing of who sealed it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from handsel.errors import ConfigError, EnvelopeInvalid
from handsel.keys import PartyKeys, PublicKeys, seal_public_key

# RFC 9180 §7: KEM 0x0020, KDF 0x0001, AEAD 0x0003.
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
ENVELOPE_BYTES_MAX = 1 << 20

T = TypeVar("T", bound=msgspec.Struct)


def seal(message: msgspec.Struct, *, to: PublicKeys, purpose: str) -> bytes:
    """
    Return `message` as MessagePack, sealed so that only `to` can read it, and only for `purpose`.

    Raises `ConfigError` for a public key of small order, to which nothing can be sealed.
    """
    info = b"handsel/v1/" + purpose.encode()
    try:
        return bytes(SUITE.encrypt(msgspec.msgpack.encode(message), seal_public_key(to), info))
    except ValueError as exc:
        raise ConfigError("nothing can be sealed to that public key: copy it again from its owner") from exc


def seal_reply(message: msgspec.Struct, *, reply_key: bytes, purpose: str) -> bytes:
    """
    Return `message`, sealed to the X25519 key that came with a request: 32 bytes, of whoever asked.

    Raises `EnvelopeInvalid` for a key to which nothing can be sealed.
    """
    try:
        key = X25519PublicKey.from_public_bytes(reply_key)
        return bytes(SUITE.encrypt(msgspec.msgpack.encode(message), key, b"handsel/v1/" + purpose.encode()))
    except ValueError as exc:
        raise EnvelopeInvalid("no answer can be sealed to the key that came with the request") from exc


def open_envelope(envelope: bytes, kind: type[T], *, keys: PartyKeys, purpose: str) -> T:
    """
    Return the message in `envelope`, which must be a `kind` sealed to `keys` for `purpose`.

    Raises `EnvelopeInvalid`.
    """
    if len(envelope) > ENVELOPE_BYTES_MAX:
        raise EnvelopeInvalid("the envelope is longer than any that Handsel makes")
    try:
        content = SUITE.decrypt(envelope, keys.seal, b"handsel/v1/" + purpose.encode())
        return msgspec.msgpack.decode(content, type=kind)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as exc:
        raise EnvelopeInvalid("the envelope does not open: it was damaged, or made for another party or use") from exc
