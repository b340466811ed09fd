"""
Promise that the issuer signs only what can be a note, and keeps its keys to itself.
"""

from __future__ import annotations

import secrets

import pytest

from handsel.errors import BodyInvalid
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import prepare
from handsel.notes.period import AHEAD_MS, first_period
from handsel.order import NoteRequest
from tests.notes.fresh_keys import fresh_note_keys

NOW_MS = 1_800_000_000_000


def test_a_blinded_message_has_the_length_of_the_modulus_and_is_less(note_keys: NoteKeys) -> None:
    key = note_keys.public().keys[0]
    modulus = key.rsa().public_numbers().n
    good, bad = modulus - 1, (modulus.to_bytes(256, "big"), b"m" * 64, b"\x01" * 255, bytes(257))

    assert len(note_keys.sign(NoteRequest(key.key_id, good.to_bytes(256, "big")))) == 256
    for message in bad:
        assert not note_keys.can_sign(NoteRequest(key.key_id, message))
        with pytest.raises(BodyInvalid):
            note_keys.sign(NoteRequest(key.key_id, message))


def test_the_same_request_has_the_same_signature(note_keys: NoteKeys) -> None:
    _, (request,) = prepare(4, currency="EUR", keys=note_keys.public(), random_bytes=secrets.token_bytes, now_ms=0)

    assert note_keys.sign(request) == note_keys.sign(request)


def test_an_unknown_key_signs_nothing(note_keys: NoteKeys) -> None:
    with pytest.raises(BodyInvalid):
        note_keys.sign(NoteRequest("0" * 32, b"m" * 64))


def test_private_keys_are_not_printed(note_keys: NoteKeys) -> None:
    assert "RSAPrivateKey" not in repr(note_keys)


def test_the_next_keys_are_made_ahead_and_the_old_ones_kept() -> None:
    first = first_period(NOW_MS)
    keys = fresh_note_keys(denominations=(1, 2), period=first)
    due_ms = first.signs_until_ms - AHEAD_MS

    assert keys.renewed(now_ms=due_ms - 1) is None
    renewed = keys.renewed(now_ms=due_ms)

    assert renewed is not None
    assert (keys.number, renewed.number) == (1, 2)
    assert renewed.public().keys[:2] == keys.public().keys
    assert [key.denomination_minor for key in renewed.public().keys[2:]] == [1, 2]
    assert renewed.renewed(now_ms=due_ms) is None


def test_keys_of_which_nothing_is_redeemed_any_more_go() -> None:
    first = first_period(NOW_MS)
    keys = fresh_note_keys(denominations=(1,), period=first)

    last = keys.renewed(now_ms=first.redeems_until_ms - 1)
    after = keys.renewed(now_ms=first.redeems_until_ms)

    assert last is not None and after is not None
    assert [key.period == first for key in last.public().keys] == [True, False]
    assert [key.period == first for key in after.public().keys] == [False]


def test_adopted_keys_sign_at_once() -> None:
    keys = fresh_note_keys(denominations=(1,), period=first_period(0))
    renewed = keys.renewed(now_ms=NOW_MS)
    assert renewed is not None
    public = renewed.public()
    _, (request,) = prepare(1, currency="EUR", keys=public, random_bytes=secrets.token_bytes, now_ms=NOW_MS)

    assert not keys.can_sign(request)
    keys.adopt(renewed)

    assert (keys.number, keys.public()) == (2, public)
    assert len(keys.sign(request)) == 256
