"""
Hold the receipt that is the person's: what the acquirer states of a payment and signs, sealed to a key of the wallet.

A wallet's browser makes X25519 keys, each for one receipt, and gives their public halves to its issuer. The till seals
to one of them: HPKE (RFC 9180) in base mode with AES-256-GCM, which browsers have, and not ChaCha20-Poly1305 as in
`envelope`, which they have not. A sealed receipt has one of two lengths, whatever stands in it.

The module knows no palm, no wallet and no database.
"""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handsel.errors import BodyInvalid, EnvelopeInvalid, SignatureInvalid
from handsel.ids import ID_BYTES
from handsel.keys import KEY_BYTES, PartyKeys, verify_with

# RFC 9180 §7: KEM 0x0020, KDF 0x0001, AEAD 0x0002.
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO = b"handsel/v1/receipt"
ENCAPSULATED_BYTES, TAG_BYTES = 32, 16
# A payment of up to EUR 50 has at most twelve notes and fits the first; any that there is fits the second.
CONTENT_BYTES = (4096, 16384)
SEALED_BYTES = tuple(ENCAPSULATED_BYTES + size + TAG_BYTES for size in CONTENT_BYTES)


class ReceiptNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """
    Name a note that a payment was paid with. Without its signature it is no money.
    """

    key_id: str
    serial: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the note.
        """
        return "ReceiptNote()"


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    State what was paid, to whom, for what, and with which notes. `acquirer` names the key that it is signed with.

    `return_digest` says which return code belongs to it, and does not say the code. A statement of before the till drew
    the code has none, and a `return_code` in its place that pays back nothing any more. `tip_minor` of the amount is a
    tip.
    """

    acquirer: str
    receipt_code: str
    charge_id: str
    shop: str
    description: str
    amount_minor: int
    currency: str
    paid_ms: int
    notes: tuple[ReceiptNote, ...]
    return_digest: bytes | None = None
    return_code: str | None = None
    tip_minor: int = 0

    def __repr__(self) -> str:
        """
        Return nothing of the statement.
        """
        return "Statement()"


class SignedStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a statement as the text that was signed, and the acquirer's Ed25519 signature of it.
    """

    statement: str
    signature: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the statement.
        """
        return "SignedStatement()"


class PayersReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Carry the receipt that is the payer's, sealed to the wallet or as the wallet saves it: the signed statement, and the
    return code, which the acquirer that signed was not told. A receipt of before the till drew the code has none here.
    """

    statement: str
    signature: bytes
    return_code: str = ""

    @property
    def signed(self) -> SignedStatement:
        """
        Return the statement alone.
        """
        return SignedStatement(self.statement, self.signature)

    def __repr__(self) -> str:
        """
        Return nothing of the receipt.
        """
        return "PayersReceipt()"


def sign_statement(statement: Statement, *, keys: PartyKeys) -> SignedStatement:
    """
    Return `statement` signed. The same statement has the same signature, RFC 8032.
    """
    text = msgspec.json.encode(statement)
    return SignedStatement(text.decode(), keys.signature(_signed_message(text)))


def read_statement(signed: SignedStatement, *, signer: bytes | None = None) -> Statement:
    """
    Return what is stated; with the public key of its `signer`, only if that signed it.

    Raises `BodyInvalid` for what is no statement, and `SignatureInvalid`.
    """
    text = signed.statement.encode()
    if signer is not None:
        verify_with(signer, _signed_message(text), signature=signed.signature)
    try:
        return msgspec.json.decode(text, type=Statement)
    except msgspec.MsgspecError as exc:
        raise BodyInvalid("this is no receipt of Handsel's: take the file as the wallet saved it") from exc


def is_signed_by(signer: bytes, signed: SignedStatement) -> bool:
    """
    Return whether the statement was signed with the private half of `signer`.
    """
    try:
        read_statement(signed, signer=signer)
    except SignatureInvalid:
        return False
    return True


def name_of_signer(public_key: bytes) -> str:
    """
    Return how statements name the key that signs them: a hash of it, 32 hexadecimal digits.
    """
    return hashlib.sha256(b"handsel/v1/statement-key\0" + public_key).digest()[:ID_BYTES].hex()


def receipt_id_of(receipt_key: bytes) -> str:
    """
    Return the id under which the receipt that is sealed to a key is kept: a hash of the key, 32 hexadecimal digits.
    """
    return hashlib.sha256(b"handsel/v1/receipt-key\0" + receipt_key).digest()[:ID_BYTES].hex()


def derive_receipt_key(secret: bytes, number: int) -> X25519PrivateKey:
    """
    Return the wallet's key of that number, as its page makes it of its secret: HKDF-SHA256, RFC 5869.
    """
    info = f"handsel/v1/receipt-key/{number}".encode()
    return X25519PrivateKey.from_private_bytes(HKDF(SHA256(), KEY_BYTES, b"", info).derive(secret))


def require_receipt_key(receipt_key: bytes) -> bytes:
    """
    Return `receipt_key` if something can be sealed to it. Raises `BodyInvalid`.
    """
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(receipt_key))
    except ValueError as exc:
        raise BodyInvalid(f"a receipt key has {KEY_BYTES} bytes, to which something can be sealed") from exc
    return receipt_key


def seal_receipt(receipt: PayersReceipt, *, receipt_key: bytes) -> bytes:
    """
    Return `receipt` as JSON, filled up with spaces to one of two lengths, sealed to `receipt_key`.

    Raises `BodyInvalid` for a statement that is too long, and for a key to which nothing can be sealed.
    """
    content = msgspec.json.encode(receipt)
    size = next((size for size in CONTENT_BYTES if len(content) <= size), None)
    if size is None:
        raise BodyInvalid(f"a receipt has at most {CONTENT_BYTES[-1]} bytes: shorten the shop's name")
    key = X25519PublicKey.from_public_bytes(require_receipt_key(receipt_key))
    return bytes(SUITE.encrypt(content.ljust(size), key, INFO))


def open_receipt(sealed: bytes, *, key: X25519PrivateKey) -> PayersReceipt:
    """
    Return what is sealed to `key`, as the wallet's page does. Raises `EnvelopeInvalid`.
    """
    try:
        return msgspec.json.decode(SUITE.decrypt(sealed, key, INFO), type=PayersReceipt)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as exc:
        raise EnvelopeInvalid("the receipt does not open with that key") from exc


def require_sealed_receipt(sealed: bytes) -> bytes:
    """
    Return `sealed` if it is as long as a sealed receipt. Raises `BodyInvalid`.
    """
    if len(sealed) not in SEALED_BYTES:
        raise BodyInvalid("a sealed receipt has one of two lengths, and this has neither")
    return sealed


def _signed_message(text: bytes) -> bytes:
    return b"handsel/v1/statement\0" + text
