"""
Sign notes blindly: the issuer's private keys, one for each denomination, currency and period.

What is signed is blinded, and says nothing about the note that comes of it. The keys never leave the issuer's process
but encrypted (`keep.py`), and are never printed.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handsel.errors import BodyInvalid
from handsel.notes.announce import SignedNoteKeys, sign_list
from handsel.notes.blind_sign import BlindSigner
from handsel.notes.denomination import DENOMINATIONS
from handsel.notes.note import KEY_BITS, PublicNoteKey, PublicNoteKeys, key_id_of
from handsel.notes.period import Period, next_period
from handsel.notes.redeemed import RedeemedBefore, RedemptionProof, prove
from handsel.order import NoteRequest

PUBLIC_EXPONENT = 65537  # NIST FIPS 186-5 A.1.1


@dataclass(frozen=True, repr=False)
class HeldKey:
    """
    Hold one private key, and what is announced of it.
    """

    announced: PublicNoteKey
    private: RSAPrivateKey
    signer: BlindSigner


@dataclass(frozen=True, repr=False)
class _KeySet:
    number: int
    held: tuple[HeldKey, ...]
    by_id: dict[str, HeldKey]
    public: PublicNoteKeys
    announced: SignedNoteKeys


class NoteKeys:
    """
    Hold the private keys with which an issuer signs notes, or has signed those that it redeems. Safe for several
    threads.

    `number` grows by one whenever the keys change; `root` signs the list that is announced, and what is stated of
    redeemed notes.
    """

    def __init__(self, held: tuple[HeldKey, ...], *, root: Ed25519PrivateKey, number: int = 1) -> None:
        public = PublicNoteKeys(tuple(key.announced for key in held))
        announced = sign_list(public, number=number, root=root)
        self._root = root
        self._set = _KeySet(number, held, {key.announced.key_id: key for key in held}, public, announced)

    def __repr__(self) -> str:
        return "NoteKeys()"

    @classmethod
    def generate(
        cls,
        *,
        currency: str,
        period: Period,
        root: Ed25519PrivateKey,
        denominations: tuple[int, ...] = DENOMINATIONS,
    ) -> NoteKeys:
        """
        Return a fresh key for each denomination, from the operating system's randomness.
        """
        return cls(_fresh(denominations, currency=currency, period=period), root=root)

    @property
    def number(self) -> int:
        """
        Return the number of this set of keys.
        """
        return self._set.number

    def held(self) -> tuple[HeldKey, ...]:
        """
        Return all keys, for them to be kept.
        """
        return self._set.held

    def public(self) -> PublicNoteKeys:
        """
        Return the public halves.
        """
        return self._set.public

    def announced(self) -> SignedNoteKeys:
        """
        Return the list that is announced, signed by the root key.
        """
        return self._set.announced

    def prove(self, statement: RedeemedBefore) -> RedemptionProof:
        """
        Return a statement about a note as the root key has signed it.
        """
        return prove(statement, root=self._root)

    def root(self) -> bytes:
        """
        Return the public half of the root key: 32 bytes.
        """
        return self._root.public_key().public_bytes_raw()

    def renewed(self, *, now_ms: int) -> NoteKeys | None:
        """
        Return these keys with those of the next period, and without those of which nothing is redeemed any more.

        None while that is too early. It takes a second, and changes nothing here.
        """
        newest = max((key.announced for key in self._set.held), key=lambda key: key.period.signs_until_ms)
        period = next_period(newest.period, now_ms=now_ms)
        if period is None:
            return None
        denominations = tuple(
            key.announced.denomination_minor for key in self._set.held if key.announced.period == newest.period
        )
        kept = tuple(key for key in self._set.held if key.announced.period.redeems_at(now_ms))
        fresh = _fresh(denominations, currency=newest.currency, period=period)
        return NoteKeys((*kept, *fresh), root=self._root, number=self._set.number + 1)

    def adopt(self, renewed: NoteKeys) -> None:
        """
        Use the keys of `renewed` from now on.
        """
        self._set = renewed._set

    def can_sign(self, request: NoteRequest) -> bool:
        """
        Return whether there is a key for the request, and its message is one that this key signs. Whether the key is
        in its period is for the flows to ask.
        """
        key = self._set.by_id.get(request.key_id)
        return key is not None and key.signer.can_sign(request.message)

    def sign(self, request: NoteRequest) -> bytes:
        """
        Return the blind signature of one note: 256 bytes. Raises `BodyInvalid` for an unknown key or an ill-formed
        message.

        The same request has the same signature, however often it comes.
        """
        key = self._set.by_id.get(request.key_id)
        if key is None or not key.signer.can_sign(request.message):
            raise BodyInvalid("a note of that key, or with that message, is not signed: fetch the keys again")
        return key.signer.sign(request.message)


def held_key(private: RSAPrivateKey, denomination_minor: int, *, currency: str, period: Period) -> HeldKey:
    """
    Return a private key, ready to sign, with what is announced of it.
    """
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    announced = PublicNoteKey(key_id_of(public), denomination_minor, currency, public, period)
    return HeldKey(announced, private, BlindSigner(private))


def _fresh(denominations: tuple[int, ...], *, currency: str, period: Period) -> tuple[HeldKey, ...]:
    return tuple(
        held_key(generate_private_key(PUBLIC_EXPONENT, KEY_BITS), value, currency=currency, period=period)
        for value in denominations
    )
