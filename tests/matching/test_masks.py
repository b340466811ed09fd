"""
Promises of the masks: both of a pair draw the same, all three cancel, and nothing is ever drawn twice.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from handsel.errors import ConfigError
from handsel.keys import PartyKeys, PublicKeys
from handsel.matching.masks import Masks, MaskStream, PairSecret
from handsel.matching.message import MATCHERS
from tests.matching.three import query_id

KEYS = {name: PartyKeys.generate() for name in MATCHERS}


def _secret(me: str, other: str) -> PairSecret:
    return PairSecret.agree(me=me, other=other, keys=KEYS[me], peer=KEYS[other].public())


def _nonces() -> dict[str, bytes]:
    return {name: os.urandom(32) for name in MATCHERS}


def _drawn(stream: MaskStream, count: int = 64) -> bytes:
    array = np.empty(count, np.uint8)
    stream.fill(array)
    return array.tobytes()


def test_both_of_a_pair_have_the_same_secret_and_masks() -> None:
    query, nonces = query_id(), _nonces()
    ab, ba = _secret("a", "b"), _secret("b", "a")

    assert ab.secret == ba.secret
    assert _drawn(ab.mask_stream(query_id=query, nonces=nonces)) == _drawn(
        ba.mask_stream(query_id=query, nonces=nonces)
    )


def test_pairs_have_different_secrets() -> None:
    assert len({_secret("a", "b").secret, _secret("b", "c").secret, _secret("c", "a").secret}) == 3


def test_masks_change_with_the_query_and_with_either_nonce() -> None:
    query, nonces, secret = query_id(), _nonces(), _secret("a", "b")
    drawn = {
        _drawn(secret.mask_stream(query_id=query, nonces=nonces)),
        _drawn(secret.mask_stream(query_id=query_id(), nonces=nonces)),
        _drawn(secret.mask_stream(query_id=query, nonces={**nonces, "a": os.urandom(32)})),
        _drawn(secret.mask_stream(query_id=query, nonces={**nonces, "b": os.urandom(32)})),
    }

    assert len(drawn) == 4


def test_masks_of_a_pair_do_not_depend_on_the_third_nonce() -> None:
    query, nonces, secret = query_id(), _nonces(), _secret("a", "b")
    other = {**nonces, "c": os.urandom(32)}

    assert _drawn(secret.mask_stream(query_id=query, nonces=nonces)) == _drawn(
        secret.mask_stream(query_id=query, nonces=other)
    )


@pytest.mark.parametrize("sizes", [(200_000,), (65536, 134_464), (1, 199_999), (0, 200_000)])
def test_stream_is_the_same_in_whatever_pieces_it_is_drawn(sizes: tuple[int, ...]) -> None:
    key = bytes(range(32))
    stream = MaskStream(key)

    assert _drawn(MaskStream(key), 200_000) == b"".join(_drawn(stream, size) for size in sizes)


def test_masks_of_all_three_sum_to_zero() -> None:
    keys = {pair: os.urandom(32) for pair in ("ab", "bc", "ca")}
    ring = (("ab", "ca"), ("bc", "ab"), ("ca", "bc"))
    masks = [Masks(after=MaskStream(keys[after]), before=MaskStream(keys[before])) for after, before in ring]

    words = [plus - minus for plus, minus in (mask.words(1000) for mask in masks)]
    bits = [one ^ other for one, other in (mask.bits(1000) for mask in masks)]

    assert not np.any(words[0] + words[1] + words[2])
    assert not np.any(bits[0] ^ bits[1] ^ bits[2])
    assert all(np.any(array) for array in (*words, *bits))


def test_stream_of_a_coin_changes_with_the_coin_and_with_its_purpose() -> None:
    coin = bytes(32)
    drawn = {
        _drawn(MaskStream.of_coin(coin, b"rows")),
        _drawn(MaskStream.of_coin(coin, b"rows")),
        _drawn(MaskStream.of_coin(coin, b"scales")),
        _drawn(MaskStream.of_coin(bytes([1] * 32), b"rows")),
    }

    assert len(drawn) == 3


def test_peer_s_key_that_is_no_key_is_refused() -> None:
    with pytest.raises(ConfigError):
        PairSecret.agree(me="a", other="b", keys=KEYS["a"], peer=PublicKeys(bytes(32), bytes(32)))


def test_secret_is_not_printed() -> None:
    secret = _secret("a", "b")

    assert secret.secret.hex() not in repr(secret)
    assert repr(secret.secret) not in repr(secret)
