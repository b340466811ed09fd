"""
Replace what is slow and proved elsewhere, so that a million payments take an hour and not a week.

* Notes: the same blind signatures by the same code, with keys of 64 bits instead of 2048 and without padding.
* The issuer's signature of its note keys: it is verified once for each list.
* Envelopes and receipts: what is sealed stands there in the clear, and opens only with the right key, for the right
  purpose. The keys for one use, of wallets and of tills, are numbers (`light_curve.py`).

Nobody forges anything in the simulation. `--real` leaves all of it as it is.
"""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import count
from typing import Any, cast

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from handsel import envelope, naming, receipt
from handsel.flows.issuing import reply_to_till
from handsel.notes import announce, blind, note
from handsel.notes.blind_sign import BlindSigner
from handsel.notes.denomination import DENOMINATIONS
from handsel.notes.issue import HeldKey, NoteKeys
from handsel.notes.note import KEY_BITS, PublicNoteKey, key_id_of
from handsel.receipt import ENCAPSULATED_BYTES, TAG_BYTES
from handsel.till import seal_receipt
from tests.notes.fresh_keys import ALWAYS
from tests.simulation.light_curve import LightPrivateKey, LightPublicKey
from tests.simulation.patches import Patches

LABEL_BYTES = 16
FILL_BYTES = ENCAPSULATED_BYTES + TAG_BYTES - LABEL_BYTES  # What is sealed is as long as it really is.
SIZE = KEY_BITS // 8
EXPONENT = 65537
PRIMES = tuple(
    number
    for number in range(4_000_000_007, 4_000_003_000, 2)
    if pow(2, number - 1, number) == 1 and pow(3, number - 1, number) == 1
)


class SmallPublicKey:
    """
    Be an RSA public key of 64 bits that says it had 2048. Its signatures have the length of real ones.
    """

    key_size = KEY_BITS
    e = EXPONENT

    def __init__(self, public: bytes) -> None:
        self.n = int.from_bytes(public, "big")

    def public_numbers(self) -> SmallPublicKey:
        return self

    def verify(self, signature: bytes, message: bytes, _padding: object, _algorithm: object) -> None:
        if pow(int.from_bytes(signature, "big"), EXPONENT, self.n) != int.from_bytes(encode(message), "big"):
            raise InvalidSignature


class SmallSigner:
    """
    Sign with a key of 64 bits.
    """

    def __init__(self, p: int, q: int) -> None:
        self._n = p * q
        self._d = pow(EXPONENT, -1, (p - 1) * (q - 1))

    def can_sign(self, blinded: bytes) -> bool:
        return len(blinded) == SIZE and int.from_bytes(blinded, "big") < self._n

    def sign(self, blinded: bytes) -> bytes:
        return pow(int.from_bytes(blinded, "big"), self._d, self._n).to_bytes(SIZE, "big")


class OpenSuite:
    """
    Seal nothing, and open only what was meant for that key and that purpose.
    """

    def __init__(self) -> None:
        self._public: dict[int, tuple[X25519PrivateKey, bytes]] = {}
        self._sealed = count()

    def encrypt(self, content: bytes, key: X25519PublicKey | LightPublicKey, info: bytes) -> bytes:
        # The same content is sealed differently each time, as real suites do it.
        return _label(key.public_bytes_raw(), info) + next(self._sealed).to_bytes(FILL_BYTES, "big") + content

    def decrypt(self, sealed: bytes, key: X25519PrivateKey | LightPrivateKey, info: bytes) -> bytes:
        if sealed[:LABEL_BYTES] != _label(self._public_of(key), info):
            raise InvalidTag
        return sealed[LABEL_BYTES + FILL_BYTES :]

    def _public_of(self, key: X25519PrivateKey | LightPrivateKey) -> bytes:
        if isinstance(key, LightPrivateKey):
            return key.public_key().public_bytes_raw()
        known = self._public.get(id(key))  # A party's own: there are few, and they stay.
        if known is None:
            known = self._public[id(key)] = (key, key.public_key().public_bytes_raw())
        return known[1]


class NoSigner:
    """
    Be the half of a key pair that is not used.
    """

    @classmethod
    def generate(cls) -> NoSigner:
        return cls()


def small_note_keys(root: Ed25519PrivateKey, *, currency: str) -> NoteKeys:
    """
    Return a key of 64 bits for each denomination, the same ones always.
    """
    held = []
    for place, denomination_minor in enumerate(DENOMINATIONS):
        p, q = PRIMES[2 * place], PRIMES[2 * place + 1]
        public = (p * q).to_bytes(8, "big")
        announced = PublicNoteKey(key_id_of(public), denomination_minor, currency, public, ALWAYS)
        held.append(HeldKey(announced, cast(RSAPrivateKey, None), cast(BlindSigner, SmallSigner(p, q))))
    return NoteKeys(tuple(held), root=root)


def encode(message: bytes, **_: Any) -> bytes:
    """
    Stand for the padding: seven bytes, less than any key of 64 bits.
    """
    return hashlib.sha256(message).digest()[:7]


def lighten(patches: Patches) -> None:
    """
    Put all of it in place.
    """
    suite = OpenSuite()
    for module in (envelope, receipt):
        patches.put(module, "SUITE", suite)
        patches.put(module, "X25519PublicKey", LightPublicKey)
    for module in (receipt, reply_to_till, seal_receipt, naming):
        patches.put(module, "X25519PrivateKey", LightPrivateKey)
    patches.put(naming, "X25519PublicKey", LightPublicKey)
    patches.put(seal_receipt, "Ed25519PrivateKey", NoSigner)
    patches.put(blind, "encode_pss", encode)
    small = dict[bytes, SmallPublicKey]()
    patches.put(announce, "_open", cache(announce._open))
    patches.put(note, "_rsa", lambda public: small.get(public) or small.setdefault(public, SmallPublicKey(public)))


def _label(public: bytes, info: bytes) -> bytes:
    return hashlib.blake2b(public + info, digest_size=LABEL_BYTES).digest()
