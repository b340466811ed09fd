"""
Promise that a receipt opens for the wallet that it is sealed to and for nobody else, and that nothing in it can change.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.errors import BodyInvalid, EnvelopeInvalid, SignatureInvalid
from handsel.keys import PartyKeys
from handsel.notes.denomination import NOTES_MAX
from handsel.receipt import (
    CONTENT_BYTES,
    SEALED_BYTES,
    PayersReceipt,
    ReceiptNote,
    SignedStatement,
    Statement,
    name_of_signer,
    open_receipt,
    read_statement,
    receipt_id_of,
    require_receipt_key,
    require_sealed_receipt,
    seal_receipt,
    sign_statement,
)
from handsel.return_code import return_digest_of

ACQUIRER = PartyKeys.generate()
WALLET = X25519PrivateKey.from_private_bytes(bytes(range(32)))
CHARGE_ID, CODE = "c1" * 16, "abcdefghij234567abcd"
WALLET_KEY = WALLET.public_key().public_bytes_raw()


def statement(
    *,
    notes: int = 3,
    shop: str = "Corner Café",
    description: str = "Coffee",
    code: str = CODE,
    tip_minor: int = 0,
) -> Statement:
    serials = (hashlib.sha256(bytes([number])).digest() for number in range(notes))
    return Statement(
        acquirer=name_of_signer(ACQUIRER.public().sign),
        receipt_code="c0" * 16,
        charge_id=CHARGE_ID,
        shop=shop,
        description=description,
        amount_minor=450,
        currency="EUR",
        paid_ms=5,
        notes=tuple(ReceiptNote("ab" * 16, serial) for serial in serials),
        return_digest=return_digest_of(code, charge_id=CHARGE_ID),
        tip_minor=tip_minor,
    )


def receipt(*, code: str = CODE, **stated: Any) -> PayersReceipt:
    signed = sign_statement(statement(code=code, **stated), keys=ACQUIRER)
    return PayersReceipt(signed.statement, signed.signature, code)


def test_a_statement_from_before_tips_were_stated_is_read() -> None:
    text = msgspec.json.encode(statement()).replace(b',"tip_minor":0', b"")
    assert b"tip" not in text

    assert read_statement(SignedStatement(text.decode(), bytes(64))) == statement()


def test_what_is_sealed_to_a_wallet_opens_there_and_reads_the_same() -> None:
    opened = open_receipt(seal_receipt(receipt(), receipt_key=WALLET_KEY), key=WALLET)

    assert opened == receipt()
    assert read_statement(opened.signed, signer=ACQUIRER.public().sign) == statement()


def test_it_opens_with_no_other_key_and_not_when_a_bit_has_changed() -> None:
    sealed = seal_receipt(receipt(), receipt_key=WALLET_KEY)
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])

    for content, key in ((sealed, X25519PrivateKey.generate()), (altered, WALLET), (b"", WALLET)):
        with pytest.raises(EnvelopeInvalid):
            open_receipt(content, key=key)


def test_its_length_says_nothing_of_what_was_bought() -> None:
    few, many = receipt(notes=1, description="Tea"), receipt(notes=12, shop="S" * 100, description="é" * 200)
    most = receipt(notes=NOTES_MAX, shop="S" * 200, description="☕" * 200)

    assert len(seal_receipt(few, receipt_key=WALLET_KEY)) == len(seal_receipt(many, receipt_key=WALLET_KEY))
    assert len(seal_receipt(few, receipt_key=WALLET_KEY)) == SEALED_BYTES[0]
    assert len(seal_receipt(most, receipt_key=WALLET_KEY)) == SEALED_BYTES[1]
    with pytest.raises(BodyInvalid, match="shorten"):
        seal_receipt(receipt(shop="S" * CONTENT_BYTES[1]), receipt_key=WALLET_KEY)


@pytest.mark.parametrize("length", [0, SEALED_BYTES[0] - 1, SEALED_BYTES[0] + 1, SEALED_BYTES[1] + 1])
def test_no_other_length_is_a_sealed_receipt(length: int) -> None:
    assert require_sealed_receipt(bytes(SEALED_BYTES[1])) == bytes(SEALED_BYTES[1])
    with pytest.raises(BodyInvalid):
        require_sealed_receipt(bytes(length))


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 451},
        {"shop": "Corner Cafe"},
        {"charge_id": "c2" * 16},
        {"notes": ()},
        {"return_digest": bytes(32)},
    ],
)
def test_a_statement_that_was_changed_has_no_signature(change: dict[str, object]) -> None:
    made = receipt().signed
    altered = msgspec.structs.replace(statement(), **change)
    forged = SignedStatement(msgspec.json.encode(altered).decode(), made.signature)

    with pytest.raises(SignatureInvalid):
        read_statement(forged, signer=ACQUIRER.public().sign)
    with pytest.raises(SignatureInvalid):
        read_statement(made, signer=PartyKeys.generate().public().sign)


def test_the_signature_is_for_receipts_alone() -> None:
    """
    What the acquirer signs elsewhere under the same key is no statement.
    """
    text = msgspec.json.encode(statement())
    with pytest.raises(SignatureInvalid):
        read_statement(SignedStatement(text.decode(), ACQUIRER.signature(text)), signer=ACQUIRER.public().sign)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shop": 1}'])
def test_what_is_no_statement_is_called_so(text: str) -> None:
    with pytest.raises(BodyInvalid, match="no receipt"):
        read_statement(SignedStatement(text, bytes(64)))


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), (1).to_bytes(32, "little"), bytes(33)])
def test_a_key_to_which_nothing_can_be_sealed_is_refused(key: bytes) -> None:
    """
    Of a wrong length, or of small order: RFC 7748 §6.1.
    """
    assert require_receipt_key(WALLET_KEY) == WALLET_KEY
    with pytest.raises(BodyInvalid):
        require_receipt_key(key)


def test_the_id_of_a_key_is_a_hash_of_it() -> None:
    assert receipt_id_of(WALLET_KEY) == hashlib.sha256(b"handsel/v1/receipt-key\0" + WALLET_KEY).hexdigest()[:32]


def test_a_receipt_of_before_the_codes_reads_and_its_signature_holds() -> None:
    """
    Its code stands in the statement, and pays back nothing any more.
    """
    before = msgspec.structs.replace(statement(), return_digest=None, return_code="abcdefghij234567")
    signed = sign_statement(before, keys=ACQUIRER)
    saved = msgspec.json.encode({"statement": signed.statement, "signature": signed.signature})

    read = msgspec.json.decode(saved, type=PayersReceipt)

    assert read_statement(read.signed, signer=ACQUIRER.public().sign) == before
    assert read.return_code == ""


def test_nothing_of_a_receipt_is_in_a_repr() -> None:
    for each in (statement(), receipt(), receipt().signed, statement().notes[0]):
        assert "Corner" not in repr(each)
        assert "abcdefghij234567" not in repr(each)
        assert "ab" * 16 not in repr(each)
