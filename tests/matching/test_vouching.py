"""
Promises of vouching: both peers get the same digest of each row, each another half of its key, and nothing ill-formed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from handsel.errors import EnvelopeInvalid
from handsel.matching import vouching as module
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS
from handsel.matching.renewal import SEED_BYTES
from handsel.matching.voucher import HALF_BYTES, Halves, Voucher, digest_of, joined_key
from handsel.matching.vouching import vouch_for_enrolment
from tests.matching.cheat import Said, changing, messages, play
from tests.matching.ordered import a_gallery
from tests.matching.test_refresh import DIMS, NOW_MS, enrol
from tests.matching.vouched import require_vouched, vouch, vouchers_of, vouching

ID = bytes(range(16))


@pytest.fixture
def galleries(tmp_path: Path) -> Iterator[dict[str, Gallery]]:
    """
    Three galleries of three palms.
    """
    opened = {name: a_gallery(tmp_path / name, me=name, dims=DIMS) for name in MATCHERS}
    for number in range(3):
        enrol(opened, number)
    yield opened
    for gallery in opened.values():
        gallery.close()


def test_both_peers_hold_the_digest_of_a_new_row_under_a_key_that_neither_has() -> None:
    shares = {name: Shares(os.urandom(128), os.urandom(16), os.urandom(16)) for name in MATCHERS}

    told = vouchers_of(ID, shares)

    for name in MATCHERS:
        seat = Seat(name)
        one, other = told[seat.after].before, told[seat.before].after
        key = joined_key(one.half, other.half)
        assert one.digest == other.digest == digest_of(ID, shares[name], key=key)
        assert len({one.half, other.half, key}) == 3


@pytest.mark.parametrize("wrong", [b"", b"\x92\xc4\x01a\xc4\x01b", msgspec.msgpack.encode(([1] * 16, [2] * 32))])
def test_voucher_that_is_none_is_refused(wrong: bytes) -> None:
    def dialogue(name: str) -> Dialogue[object]:
        return vouch_for_enrolment(Seat(name), bytes(16), Halves(bytes(HALF_BYTES), bytes(HALF_BYTES)))

    outcome = play({"a": changing(dialogue("a"), lambda *_: wrong), "b": dialogue("b"), "c": dialogue("c")})

    assert {type(raised) for raised in outcome.raised.values()} == {EnvelopeInvalid}
    assert outcome.answers.keys() == {"a"}


def test_rows_come_in_pieces_and_each_is_vouched_for(
    galleries: dict[str, Gallery], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 140):
        enrol(galleries, number)
    monkeypatch.setattr(module, "PIECE_ROWS", 64)
    seed = os.urandom(SEED_BYTES)
    for gallery in galleries.values():
        gallery.renewing.keep_seed(seed, digest=gallery.rows().digest)

    vouch(galleries, seed)
    for gallery in galleries.values():
        gallery.renewing.renew(now_ms=NOW_MS)

    assert galleries["b"]._stored.select("SELECT count(*) FROM renewed_vouchers") == [(3,)]
    require_vouched(galleries)
    rows = galleries["b"].rows()
    some = galleries["b"].vouchers(63, 66, chain=rows.chain)
    assert set(some) == {63, 64, 65, 66}


def test_each_sends_sixteen_bytes_a_row_and_never_its_key(galleries: dict[str, Gallery]) -> None:
    seed = os.urandom(SEED_BYTES)

    sent = messages({name: vouching(name, gallery, seed) for name, gallery in galleries.items()})

    for name, said in sent.items():
        seat = Seat(name)
        assert [(one.to, len(one.payload)) for one in said] == [
            (seat.after, 32), (seat.before, 32), (seat.after, 48), (seat.before, 48)
        ]  # fmt: skip
        assert said[0].payload != said[1].payload
        assert said[2].payload == said[3].payload


def test_what_all_three_have_vouched_for_has_one_digest(galleries: dict[str, Gallery]) -> None:
    seed = os.urandom(SEED_BYTES)

    said = Lockstep({name: vouching(name, gallery, seed) for name, gallery in galleries.items()}).run()
    other = Lockstep({name: vouching(name, gallery, seed) for name, gallery in galleries.items()}).run()

    assert len(set(said.values())) == 1
    assert said["a"] != other["a"]  # For the keys are drawn anew.


@pytest.mark.parametrize("number", [0, 2], ids=["half", "digests"])
def test_vouchers_of_another_length_are_refused(galleries: dict[str, Gallery], number: int) -> None:
    seed = os.urandom(SEED_BYTES)
    told = {name: vouching(name, gallery, seed) for name, gallery in galleries.items()}

    def change(at: int, message: Said) -> bytes:
        return message.payload[1:] if at == number else message.payload

    outcome = play({**told, "a": changing(told["a"], change)})

    assert type(outcome.raised["b"]) is EnvelopeInvalid


def test_voucher_carries_just_what_it_should() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode([bytes(15), bytes(32)]), type=Voucher)
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode([bytes(16), bytes(32), bytes(1)]), type=Voucher)
