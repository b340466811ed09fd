"""
Promises of vouchers: they name one row and no other, and say nothing to who holds one half of the key.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest

from handsel.matching.columns import Columns
from handsel.matching.kept import Shares
from handsel.matching.ring import POINTS, multiply_words
from handsel.matching.rows import Row
from handsel.matching.split import split_rows, to_wire
from handsel.matching.voucher import DIGEST_BYTES, HALF_BYTES, Halves, Voucher, digest_of, digests_of, joined_key
from tests.matching.three import palm

ID = bytes(range(16))
SHARES = Shares(bytes(range(128)), bytes([7] * 16), bytes([8] * 16))
KEY = bytes(range(32))


def flipped(content: bytes, at: int) -> bytes:
    """
    Return bytes of which one bit is another.
    """
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_digest_is_what_is_written_down() -> None:
    content = ID + SHARES.template + SHARES.own + SHARES.pair

    expected = hashlib.blake2b(content, key=KEY, person=b"handsel/voucher1", digest_size=16).digest()

    assert digest_of(ID, SHARES, key=KEY) == expected


def test_every_bit_of_a_row_and_of_the_key_counts() -> None:
    right = digest_of(ID, SHARES, key=KEY)

    others = [digest_of(flipped(ID, at), SHARES, key=KEY) for at in (0, 15)]
    others += [digest_of(ID, replace(SHARES, template=flipped(SHARES.template, at)), key=KEY) for at in (0, 63, 127)]
    others += [digest_of(ID, replace(SHARES, own=flipped(SHARES.own, at)), key=KEY) for at in (0, 15)]
    others += [digest_of(ID, replace(SHARES, pair=flipped(SHARES.pair, at)), key=KEY) for at in (0, 15)]
    others += [digest_of(ID, SHARES, key=flipped(KEY, at)) for at in (0, 31)]

    assert len({right, *others}) == 1 + len(others)
    assert {len(one) for one in others} == {DIGEST_BYTES}


def test_digests_of_many_rows_are_those_of_each() -> None:
    rows = [Row(os.urandom(16), at, os.urandom(128), os.urandom(16), os.urandom(16)) for at in range(5)]
    keys = [os.urandom(HALF_BYTES) for _ in rows]

    found = digests_of(Columns.of_rows(rows, dims=64), keys)

    shares = [Shares(row.template, row.own, row.pair) for row in rows]
    named = zip(rows, shares, keys, strict=True)
    assert found == [digest_of(row.enrolment_id, its, key=key) for row, its, key in named]
    assert digests_of(Columns.of_rows((), dims=64), []) == []


def test_more_rows_than_keys_are_refused() -> None:
    rows = [Row(os.urandom(16), at, os.urandom(128), os.urandom(16), os.urandom(16)) for at in range(2)]

    with pytest.raises(ValueError, match="zip"):
        digests_of(Columns.of_rows(rows, dims=64), [KEY])


def test_enrolment_that_is_sent_again_has_the_same_halves_and_no_other_has() -> None:
    secret = os.urandom(HALF_BYTES)
    halves = Halves.drawn(secret, ID)

    again, other, stranger = Halves.drawn(secret, ID), Halves.drawn(secret, SHARES.own), Halves.drawn(KEY, ID)

    assert again == halves
    drawn = {one for each in (halves, other, stranger) for one in (each.after, each.before)}
    assert len(drawn) == 6
    assert {len(one) for one in drawn} == {HALF_BYTES}
    assert halves.key() == bytes(x ^ y for x, y in zip(halves.after, halves.before, strict=True))


def test_one_peer_alone_cannot_confirm_a_guess() -> None:
    """
    A peer that guesses the right palm has the right share of the other one, by its own: without a key it would see that
    in the digest. With its half alone, right and wrong guesses look alike: for each there are halves of the other peer
    by which the digest is another, and none that it could tell from the true one.
    """
    guess, share_of_a = palm(1), split_rows(palm(1))
    slope_at_a = to_wire(share_of_a[0])
    theirs = _third(guess, np.frombuffer(slope_at_a, "<u2"))
    assert to_wire(theirs) == to_wire(share_of_a[2])  # The guess gives the share of c.
    right = Shares(to_wire(theirs), bytes(16), bytes(16))
    halves = Halves(os.urandom(HALF_BYTES), os.urandom(HALF_BYTES))
    told = digest_of(ID, right, key=halves.key())

    tried = {digest_of(ID, right, key=joined_key(halves.after, os.urandom(HALF_BYTES))) for _ in range(1000)}
    tried |= {digest_of(ID, right, key=one) for one in (halves.after, bytes(HALF_BYTES))}

    assert told not in tried
    assert len(tried) == 1002
    assert digest_of(ID, right, key=joined_key(halves.after, halves.before)) == told


def _third(guess: np.ndarray, at_a: np.ndarray) -> np.ndarray:
    """
    Return the share of c that belongs to a palm and to the share of a, whose point is one.
    """
    slope = at_a - guess.astype(np.int16).view(np.uint16)
    return np.asarray(guess.astype(np.int16).view(np.uint16) + multiply_words(slope, POINTS[2]), np.uint16)


def test_voucher_shows_nothing_of_itself() -> None:
    assert repr(Voucher(bytes(DIGEST_BYTES), bytes(HALF_BYTES))) == "Voucher()"
    assert "\\x" not in repr(Halves(KEY, KEY))
