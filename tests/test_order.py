"""
Orders: a binding says one thing only, and changes with every field that it covers.
"""

from __future__ import annotations

import hashlib
import itertools

import msgspec
import pytest

from handsel.errors import BodyInvalid
from handsel.order import (
    BINDING_BYTES,
    NO_PIN,
    PIN_BYTES,
    ChargeOrder,
    EnrolmentOrder,
    NoteRequest,
    RefundOrder,
    bind,
    pad_pin,
    till_digest,
    typed_pin,
)

DIGEST = till_digest(b"k" * 32, b"n" * 16)
CHARGE = ChargeOrder("0" * 32, 450, "EUR", DIGEST, (NoteRequest("key", b"message"),))
RESERVATION = ChargeOrder("0" * 32, 450, "EUR", DIGEST, (), hold_s=3_600)
REFUND = RefundOrder("0" * 32, 450, "EUR", DIGEST)
ENROLMENT = EnrolmentOrder("0" * 32, "123456", DIGEST)

# Every field of an order that its binding covers, changed one at a time. Notes and codes are sealed with the order, by
# the one who knows the till digest, and are not bound.
CHANGES: list[ChargeOrder | RefundOrder | EnrolmentOrder] = [
    msgspec.structs.replace(CHARGE, order_id="1" + "0" * 31),
    msgspec.structs.replace(CHARGE, amount_minor=451),
    msgspec.structs.replace(CHARGE, amount_minor=-450),
    msgspec.structs.replace(CHARGE, currency="USD"),
    msgspec.structs.replace(CHARGE, till_digest=till_digest(b"k" * 32, b"m" * 16)),
    msgspec.structs.replace(CHARGE, notes=(), hold_s=3_600),
    msgspec.structs.replace(CHARGE, notes=(), hold_s=86_400),
    REFUND,
    msgspec.structs.replace(REFUND, order_id="1" + "0" * 31),
    msgspec.structs.replace(REFUND, amount_minor=45),
    msgspec.structs.replace(REFUND, currency="CHF"),
    msgspec.structs.replace(REFUND, till_digest=bytes(32)),
    ENROLMENT,
    msgspec.structs.replace(ENROLMENT, order_id="1" + "0" * 31),
    msgspec.structs.replace(ENROLMENT, till_digest=bytes(32)),
]


def test_a_binding_is_thirty_two_bytes_and_always_the_same() -> None:
    assert len(bind(CHARGE)) == BINDING_BYTES == 32
    assert bind(CHARGE) == bind(msgspec.structs.replace(CHARGE))


def test_no_two_orders_have_one_binding() -> None:
    bindings = [bind(order) for order in [CHARGE, *CHANGES]]

    assert len(set(bindings)) == len(bindings)


def test_what_moves_from_one_field_to_the_next_changes_the_binding() -> None:
    one = msgspec.structs.replace(CHARGE, order_id="ab", amount_minor=1, currency="2EUR")
    other = msgspec.structs.replace(CHARGE, order_id="ab", amount_minor=12, currency="EUR")

    assert bind(one) != bind(other)


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (CHARGE, (b"charge", b"0" * 32, b"450", b"EUR", DIGEST)),
        (RESERVATION, (b"reservation", b"0" * 32, b"450", b"EUR", b"3600", DIGEST)),
        (REFUND, (b"refund", b"0" * 32, b"450", b"EUR", DIGEST)),
        (ENROLMENT, (b"enrolment", b"0" * 32, DIGEST)),
    ],
    ids=["charge", "reservation", "refund", "enrolment"],
)
def test_a_binding_is_the_hash_of_its_length_prefixed_fields(
    order: ChargeOrder | RefundOrder | EnrolmentOrder, fields: tuple[bytes, ...]
) -> None:
    prefixed = itertools.chain.from_iterable((len(field).to_bytes(4, "big"), field) for field in fields)

    assert bind(order) == hashlib.sha256(b"handsel/v1/binding\0" + b"".join(prefixed)).digest()


def test_a_till_digest_hides_the_till_behind_a_nonce() -> None:
    digests = {till_digest(key * 32, nonce * 16) for key in (b"k", b"l") for nonce in (b"m", b"n")}

    assert len(digests) == 4
    assert {len(digest) for digest in digests} == {32}


def test_a_till_digest_does_not_say_where_the_key_ends() -> None:
    """
    Both parts have a fixed length; nothing else separates them, so their lengths matter to the caller.
    """
    assert till_digest(b"ab", b"c") == till_digest(b"a", b"bc")
    assert till_digest(b"k" * 32, b"n" * 16) != till_digest(b"k" * 31 + b"n", b"n" * 16)


@pytest.mark.parametrize("kind", [ChargeOrder, RefundOrder, EnrolmentOrder, NoteRequest])
def test_an_order_with_an_unknown_field_is_refused(kind: type[msgspec.Struct]) -> None:
    examples: dict[type[msgspec.Struct], msgspec.Struct] = {
        ChargeOrder: CHARGE,
        RefundOrder: REFUND,
        EnrolmentOrder: ENROLMENT,
        NoteRequest: CHARGE.notes[0],
    }
    known = msgspec.to_builtins(examples[kind])

    assert msgspec.convert(known, kind) == examples[kind]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**known, "extra": 1}, kind)


def test_no_code_shows_in_a_repr() -> None:
    assert ENROLMENT.code not in repr(ENROLMENT)


def with_pin(pin: bytes) -> ChargeOrder:
    return msgspec.structs.replace(CHARGE, pin=pin)


def test_a_pin_changes_neither_the_binding_nor_the_length_of_an_order_and_its_repr_says_nothing() -> None:
    order = with_pin(pad_pin("402917"))

    assert bind(order) == bind(CHARGE)
    assert len(msgspec.msgpack.encode(order)) == len(msgspec.msgpack.encode(CHARGE))
    assert "402917" not in repr(order)


@pytest.mark.parametrize("typed", ["0", "0000", "402917", "9" * PIN_BYTES])
def test_a_pin_is_read_as_it_was_typed(typed: str) -> None:
    assert len(pad_pin(typed)) == PIN_BYTES
    assert typed_pin(with_pin(pad_pin(typed))) == typed


def test_an_order_without_a_pin_has_none() -> None:
    assert CHARGE.pin == NO_PIN
    assert typed_pin(CHARGE) is None


@pytest.mark.parametrize("typed", ["", "12a4", "9" * (PIN_BYTES + 1), "４０２９", " 123"])
def test_what_is_no_pin_is_not_padded(typed: str) -> None:
    with pytest.raises(BodyInvalid):
        pad_pin(typed)


@pytest.mark.parametrize("pin", [b"", b"1234", b"12\0" + b"4" * 13, b"\xff" * PIN_BYTES, b"1" * (PIN_BYTES + 1)])
def test_what_nobody_pads_like_that_is_refused(pin: bytes) -> None:
    with pytest.raises(BodyInvalid):
        typed_pin(with_pin(pin))
