"""
Say what a till asks of the issuer, and bind it to the palm that was shown.

The till seals an order to the issuer, and the same binding, beside the shares of the palm, to each matcher. The
matchers pass the binding on in their answers; the issuer does only what was bound. The acquirer that carries both
sees neither.
"""

from __future__ import annotations

import hashlib

import msgspec

BINDING_BYTES = 32
CHARGE = "till-to-issuer/charge"
REFUND = "till-to-issuer/refund"
ENROLMENT = "till-to-issuer/enrolment"


class NoteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for one note: `message` is what the issuer is to sign with the key `key_id`, blinded.
    """

    key_id: str
    message: bytes


class ChargeOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to debit whoever showed the palm, and to sign notes of the same sum.

    `till_digest` is a hash of the till's key and a nonce: with it the issuer checks the binding and learns no till.
    """

    charge_id: str
    amount_minor: int
    currency: str
    till_digest: bytes
    notes: tuple[NoteRequest, ...]


class RefundOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to credit whoever showed the palm with the notes that come along.
    """

    refund_id: str
    amount_minor: int
    currency: str
    till_digest: bytes


class EnrolmentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to join the palm that was shown to the wallet that `code` was given to.
    """

    enrolment_id: str
    code: str
    till_digest: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "EnrolmentOrder()"


def till_digest(till_key: bytes, nonce: bytes) -> bytes:
    """
    Return the hash that stands for a till in one binding: SHA-256 of its public key and a fresh 16-byte nonce.
    """
    return hashlib.sha256(b"handsel/v1/till\0" + till_key + nonce).digest()


def bind(order: ChargeOrder | RefundOrder | EnrolmentOrder) -> bytes:
    """
    Return the binding of an order: SHA-256 over its kind, id, amount, currency and till digest, each length-prefixed.
    """
    fields: tuple[bytes, ...]
    if isinstance(order, ChargeOrder):
        fields = (b"charge", order.charge_id.encode(), str(order.amount_minor).encode(), order.currency.encode())
    elif isinstance(order, RefundOrder):
        fields = (b"refund", order.refund_id.encode(), str(order.amount_minor).encode(), order.currency.encode())
    else:
        fields = (b"enrolment", order.enrolment_id.encode())
    digest = hashlib.sha256(b"handsel/v1/binding\0")
    for field in (*fields, order.till_digest):
        digest.update(len(field).to_bytes(4, "big") + field)
    return digest.digest()
