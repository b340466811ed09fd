"""
Make and read the card of a held key: an id, and a key from which everything else follows.

    HANDSEL1:  base64url( card id, 16 bytes  ‖  card key, 32 bytes )

HKDF-SHA256 (RFC 5869) makes two keys of the card key, each under a label of its own: one seals the template, once, and
the other signs orders. Neither is stored anywhere; the issuer keeps the card id, the public key and the sealed
template. A card prints nothing of itself.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.order import CARD_ID_BYTES, TEMPLATE_BYTES, ChargeOrder, HeldProof, RefundOrder, held_message

PREFIX = "HANDSEL1:"
SECRET_BYTES = 32
TEXT_CHARS = len(PREFIX) + 4 * (CARD_ID_BYTES + SECRET_BYTES) // 3  # 48 bytes are 64 characters, without padding.
SEALING = b"handsel/v1/card/seal-template"
SIGNING = b"handsel/v1/card/sign-order"
NONCE = bytes(12)  # Always the same: a card key seals one template, ever.


@dataclass(frozen=True)
class Card:
    """
    Hold one card. Whoever holds it, and the palm that it was made with, can pay.
    """

    id: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def draw(cls, random_bytes: Callable[[int], bytes]) -> Card:
        """
        Return a new card.
        """
        return cls(random_bytes(CARD_ID_BYTES), random_bytes(SECRET_BYTES))

    @property
    def text(self) -> str:
        """
        Return what its code says.
        """
        return PREFIX + base64.urlsafe_b64encode(self.id + self.key).decode()

    @property
    def public_key(self) -> bytes:
        """
        Return the key with which the issuer checks what this card signs: Ed25519, 32 bytes.
        """
        return self._signing_key().public_key().public_bytes_raw()

    def prove(self, order: ChargeOrder | RefundOrder) -> HeldProof:
        """
        Return the proof that this card was there for `order`.
        """
        return HeldProof(self.id, self._signing_key().sign(held_message(order)))

    def seal_template(self, packed: bytes, *, model_id: str) -> bytes:
        """
        Return a packed template, sealed with this card's key, for this card's id and one model. To be done once.
        """
        return ChaCha20Poly1305(self._derived(SEALING)).encrypt(NONCE, packed, self._bound_to(model_id))

    def open_template(self, sealed: bytes, *, model_id: str) -> bytes | None:
        """
        Return the packed template; None for one of another card or model, or that somebody changed.
        """
        try:
            packed = ChaCha20Poly1305(self._derived(SEALING)).decrypt(NONCE, sealed, self._bound_to(model_id))
        except InvalidTag:
            return None
        return packed if len(packed) == TEMPLATE_BYTES else None

    def _signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derived(SIGNING))

    def _derived(self, label: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(self.key)

    def _bound_to(self, model_id: str) -> bytes:
        return b"handsel/v1/held-template\0" + self.id + model_id.encode()


def read_card(text: str) -> Card | None:
    """
    Return the card that a code's text names, or None where it names none.
    """
    if len(text) != TEXT_CHARS or not text.startswith(PREFIX):
        return None
    try:
        held = base64.b64decode(text.removeprefix(PREFIX).encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(held) != CARD_ID_BYTES + SECRET_BYTES:
        return None
    return Card(held[:CARD_ID_BYTES], held[CARD_ID_BYTES:])
