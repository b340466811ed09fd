"""
Envelopes: only the addressee opens them, only for their purpose, only whole.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.envelope import ENVELOPE_BYTES_MAX, open_envelope, seal
from handsel.errors import EnvelopeInvalid
from handsel.keys import PartyKeys

HPKE_BYTES = 32 + 16  # The encapsulated key and the tag, RFC 9180 §7.


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for any message.
    """

    text: str
    count: int


class LongerLetter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for a message that has one field more.
    """

    text: str
    count: int
    extra: int = 0


class Parcel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for a long message.
    """

    content: bytes


KEYS = PartyKeys.generate()
LETTER = Letter("hello", 7)


def test_the_addressee_opens_what_was_sealed() -> None:
    envelope = seal(LETTER, to=KEYS.public(), purpose="test/letter")

    assert open_envelope(envelope, Letter, keys=KEYS, purpose="test/letter") == LETTER


def test_an_envelope_shows_nothing_but_its_length() -> None:
    content = msgspec.msgpack.encode(LETTER)
    one, other = (seal(LETTER, to=KEYS.public(), purpose="test/letter") for _ in range(2))

    assert one != other
    assert len(one) == len(other) == len(content) + HPKE_BYTES
    assert b"hello" not in one


def test_nobody_else_opens_it() -> None:
    envelope = seal(LETTER, to=KEYS.public(), purpose="test/letter")

    with pytest.raises(EnvelopeInvalid):
        open_envelope(envelope, Letter, keys=PartyKeys.generate(), purpose="test/letter")


@pytest.mark.parametrize("purpose", ["", "test/lette", "test/letter ", "test/letters", "TEST/LETTER"])
def test_it_opens_for_no_other_purpose(purpose: str) -> None:
    envelope = seal(LETTER, to=KEYS.public(), purpose="test/letter")

    with pytest.raises(EnvelopeInvalid):
        open_envelope(envelope, Letter, keys=KEYS, purpose=purpose)


def test_a_change_anywhere_is_found() -> None:
    envelope = seal(LETTER, to=KEYS.public(), purpose="test/letter")

    for position in range(len(envelope)):
        damaged = bytearray(envelope)
        damaged[position] ^= 1
        with pytest.raises(EnvelopeInvalid):
            open_envelope(bytes(damaged), Letter, keys=KEYS, purpose="test/letter")


def test_a_cut_or_lengthened_envelope_does_not_open() -> None:
    envelope = seal(LETTER, to=KEYS.public(), purpose="test/letter")

    for damaged in (b"", envelope[:31], envelope[:32], envelope[:-1], envelope + b"\0", envelope * 2):
        with pytest.raises(EnvelopeInvalid):
            open_envelope(damaged, Letter, keys=KEYS, purpose="test/letter")


def test_a_message_of_another_kind_is_refused() -> None:
    envelope = seal(Parcel(b"x"), to=KEYS.public(), purpose="test/letter")

    with pytest.raises(EnvelopeInvalid):
        open_envelope(envelope, Letter, keys=KEYS, purpose="test/letter")


def test_a_message_with_an_unknown_field_is_refused() -> None:
    envelope = seal(LongerLetter("hello", 7, 1), to=KEYS.public(), purpose="test/letter")

    with pytest.raises(EnvelopeInvalid):
        open_envelope(envelope, Letter, keys=KEYS, purpose="test/letter")


def test_a_refusal_says_nothing_of_the_content() -> None:
    envelope = seal(LongerLetter("secret words", 7, 1), to=KEYS.public(), purpose="test/letter")

    with pytest.raises(EnvelopeInvalid) as caught:
        open_envelope(envelope, Letter, keys=KEYS, purpose="test/letter")

    assert "secret" not in str(caught.value)


def test_the_longest_envelope_opens_and_one_byte_more_does_not() -> None:
    overhead = HPKE_BYTES + len(msgspec.msgpack.encode(Parcel(bytes(1 << 17)))) - (1 << 17)
    longest = seal(Parcel(bytes(ENVELOPE_BYTES_MAX - overhead)), to=KEYS.public(), purpose="test/parcel")
    too_long = seal(Parcel(bytes(ENVELOPE_BYTES_MAX - overhead + 1)), to=KEYS.public(), purpose="test/parcel")

    assert len(longest) == ENVELOPE_BYTES_MAX
    open_envelope(longest, Parcel, keys=KEYS, purpose="test/parcel")
    with pytest.raises(EnvelopeInvalid, match="longer"):
        open_envelope(too_long, Parcel, keys=KEYS, purpose="test/parcel")
