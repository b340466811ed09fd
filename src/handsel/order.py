"""
Say what a till asks of the issuer, and bind it to the palm that was shown.

The till seals an order to the issuer, and the same binding, beside the shares of the palm, to each matcher. The
matchers pass the binding on in their answers; the issuer does only what was bound. The acquirer that carries both
sees neither.

With a held key no matcher takes part: the card signs the binding, and the issuer checks the signature. What till and
issuer say to each other of a card has always the same length, so that who carries it cannot tell one from another.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from handsel.errors import BodyInvalid
from handsel.field_digest import digest_of_fields

BINDING_BYTES = 32
CARD_ID_BYTES = 16
CARD_KEY_BYTES = 32  # Of a public key, RFC 8032, and of a key that an answer is sealed to, RFC 7748.
SIGNATURE_BYTES = 64
PIN_BYTES = 16  # Of a PIN in an order, padded: an order with one is as long as an order without.
NO_PIN = bytes(PIN_BYTES)
TEMPLATE_BYTES = 1024  # Of a template of any model, padded: its length says nothing.
SEALED_TEMPLATE_BYTES = TEMPLATE_BYTES + 16  # With the tag of ChaCha20-Poly1305, RFC 8439.
# For how long a sum is reserved that is captured later: an hour, six, a day, a week. Few, so that it tells no shop.
HOLDS_S = (3_600, 21_600, 86_400, 604_800)
CHARGE = "till-to-issuer/charge"
REFUND = "till-to-issuer/refund"
ENROLMENT = "till-to-issuer/enrolment"
CARD_ENROLMENT = "till-to-issuer/card-enrolment"
CARD_REQUEST = "till-to-issuer/card-request"
CARD_ANSWER = "issuer-to-till/card-answer"
HELD_PROOF = "till-to-issuer/held-proof"
CHARGE_REPLY = "issuer-to-till/charge-reply"
STATEMENT_LINE = "till-to-issuer/statement-line"
DESCRIPTION_BYTES = 1024  # Of a description in a statement line, filled up: its length says nothing.


class Way(StrEnum):
    """
    Name the ways in which a palm is recognised: among all that are enrolled, or against one that a card unlocks.
    """

    OPEN_HAND = "open_hand"
    HELD_KEY = "held_key"


class NoteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask for one note: `message` is what the issuer is to sign with the key `key_id`, blinded.
    """

    key_id: str
    message: bytes


class ChargeOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to debit whoever showed the palm, and to sign notes of the same sum.

    `order_id` is what the issuer knows the charge by, and nobody else once it has ended.
    `till_digest` is a hash of the till's key and a nonce: with it the issuer checks the binding and learns no till.
    `pin` is what the customer typed, as `pad_pin` makes it. The binding leaves it out: matchers see a binding, and from
    its hash a PIN could be guessed. With `hold_s` the sum is only reserved, for at most so many seconds, and no notes
    are asked for.
    `reply_key` is used once; to it the issuer seals a `ChargeReply`. A till that seals no receipts has none.
    """

    order_id: str
    amount_minor: int
    currency: str
    till_digest: bytes
    notes: tuple[NoteRequest, ...]
    pin: bytes = NO_PIN
    hold_s: int = 0
    reply_key: bytes | None = None

    def __repr__(self) -> str:
        """
        Return nothing of the PIN.
        """
        return "ChargeOrder()"


class ChargeReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Tell the till to which key it seals the receipt, and at which shops the payer is named to the bank.

    There are always as many `naming_tags`, most of them random; where a wallet has no key left, `receipt_key` is one
    that nobody can open anything with. So neither says anything to who cannot check it. `naming_key` is this charge's.
    """

    receipt_key: bytes
    naming_key: bytes
    naming_tags: tuple[bytes, ...]

    def __repr__(self) -> str:
        """
        Return nothing of the reply.
        """
        return "ChargeReply()"


class StatementLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Tell the issuer what was paid for, where the payer wants the shop named; otherwise, and as long, nothing.

    `naming_tag` is one of those in the reply, or random bytes. `description` is UTF-8, filled up with zeros.
    """

    order_id: str
    naming_tag: bytes
    description: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the line.
        """
        return "StatementLine()"


class RefundOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to credit whoever showed the palm with the notes that come along.

    `order_id` is what the issuer knows the refund by. The acquirer that carries the order knows its attempt by another
    id, and writes this one nowhere. So it is with the two enrolments below.
    """

    order_id: str
    amount_minor: int
    currency: str
    till_digest: bytes


class EnrolmentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to join the palm that was shown to the wallet that `code` was given to.
    """

    order_id: str
    code: str
    till_digest: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the code.
        """
        return "EnrolmentOrder()"


class CardOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer to join a new card to the wallet that `code` was given to.

    `sealed_template` opens with the card's key alone, which is on the card and nowhere else.
    """

    order_id: str
    code: str
    card_id: bytes
    public_key: bytes
    sealed_template: bytes

    def __repr__(self) -> str:
        """
        Return nothing of code, card and template.
        """
        return "CardOrder()"


class CardRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask the issuer for the sealed template of a card that is shown. The answer is sealed to `reply_key`, used once.
    """

    card_id: bytes
    reply_key: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the card.
        """
        return "CardRequest()"


class CardState(StrEnum):
    """
    Say what the issuer answers about a card. One letter each, so that all answers are equally long.
    """

    KNOWN = "k"
    UNKNOWN = "u"
    LOCKED = "l"


class CardAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Answer with the sealed template of a card; with as many zeros where there is none to give.
    """

    state: CardState
    sealed_template: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the template.
        """
        return "CardAnswer()"


class HeldProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show the issuer that a card was there for one order: `signature` is the card's, over `held_message`.
    """

    card_id: bytes
    signature: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the card.
        """
        return "HeldProof()"


class SealedProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a `HeldProof`, sealed to the issuer: it stands where otherwise three answers of the matchers do.
    """

    envelope: bytes

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "SealedProof()"


def pad_pin(typed: str) -> bytes:
    """
    Return a PIN as an order carries it: its digits, then zeros up to `PIN_BYTES`. Raises `BodyInvalid`.
    """
    if not typed.isascii() or not typed.isdigit() or len(typed) > PIN_BYTES:
        raise BodyInvalid(f"a PIN has digits only, and at most {PIN_BYTES}")
    return typed.encode().ljust(PIN_BYTES, b"\0")


def typed_pin(order: ChargeOrder) -> str | None:
    """
    Return the PIN in an order, or None where none was typed. Raises `BodyInvalid` for what `pad_pin` does not make.
    """
    if order.pin == NO_PIN:
        return None
    typed = order.pin.rstrip(b"\0").decode("latin-1")
    if pad_pin(typed) != order.pin:
        raise BodyInvalid(f"a PIN comes in {PIN_BYTES} bytes")
    return typed


def held_message(order: ChargeOrder | RefundOrder) -> bytes:
    """
    Return what a card signs for an order: its binding, with a label, so that the signature is good for nothing else.
    """
    return b"handsel/v1/held-proof\0" + bind(order)


def till_digest(till_key: bytes, nonce: bytes) -> bytes:
    """
    Return the hash that stands for a till in one binding: SHA-256 of its public key and a fresh 16-byte nonce.
    """
    return hashlib.sha256(b"handsel/v1/till\0" + till_key + nonce).digest()


def digest_of_notes(notes: tuple[NoteRequest, ...]) -> bytes:
    """
    Return a hash of the notes that an order asks for: 32 bytes. By it the issuer sees that the acquirer, which cannot
    read the order, was given what finishes these notes and no others.
    """
    return digest_of_fields(b"notes", *(part for note in notes for part in (note.key_id.encode(), note.message)))


def bind(order: ChargeOrder | RefundOrder | EnrolmentOrder) -> bytes:
    """
    Return the binding of an order: SHA-256 over its kind, id, amount, currency and till digest, each length-prefixed.

    An order that only reserves is of a kind of its own, and binds for how long.
    """
    fields: tuple[bytes, ...]
    if isinstance(order, ChargeOrder) and order.hold_s:
        held = (str(order.amount_minor), order.currency, str(order.hold_s))
        fields = (b"reservation", order.order_id.encode(), *(each.encode() for each in held))
    elif isinstance(order, ChargeOrder):
        fields = (b"charge", order.order_id.encode(), str(order.amount_minor).encode(), order.currency.encode())
    elif isinstance(order, RefundOrder):
        fields = (b"refund", order.order_id.encode(), str(order.amount_minor).encode(), order.currency.encode())
    else:
        fields = (b"enrolment", order.order_id.encode())
    return digest_of_fields(b"binding", *fields, order.till_digest)
