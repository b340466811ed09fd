"""
Promises of what is kept: the vouchers of a row, from the moment that they count and no longer than the row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from handsel.errors import GalleriesDiffer
from handsel.matching.gallery import PENDING_S_MAX, Gallery
from handsel.matching.kept import Shares
from handsel.matching.vouched import Batch
from handsel.matching.voucher import DIGEST_BYTES, HALF_BYTES, Voucher, Vouchers
from tests.matching.ordered import a_gallery, abort, commit, erase

DIMS = 4
CHAIN = bytes([9] * 32)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """
    A gallery with rows at 1, 2 and 3.
    """
    opened = a_gallery(tmp_path / "a", me="a", dims=DIMS)
    for number in (1, 2, 3):
        keep(opened, number)
        commit(opened, an_id(number), position=number)
    yield opened
    opened.close()


def an_id(number: int) -> bytes:
    """
    Return the id of an enrolment.
    """
    return number.to_bytes(16, "big")


def some_vouchers() -> Vouchers:
    """
    Return vouchers like no others.
    """
    return Vouchers(*(Voucher(os.urandom(DIGEST_BYTES), os.urandom(HALF_BYTES)) for _ in range(2)))


def keep(gallery: Gallery, number: int, vouchers: Vouchers | None = None, *, now_ms: int = 0) -> Vouchers:
    """
    Keep a pending row, and return by what it is vouched for.
    """
    vouchers = vouchers or some_vouchers()
    shares = Shares(bytes([number] * 2 * DIMS), bytes(16), bytes(16))
    gallery.keep_pending([(an_id(number), shares, vouchers)], now_ms=now_ms)
    return vouchers


def a_piece(rows: int) -> Batch:
    """
    Return vouchers for some rows.
    """
    return Batch.of(os.urandom(DIGEST_BYTES * rows), os.urandom(HALF_BYTES))


def bytes_of(tmp_path: Path) -> bytes:
    """
    Return all that is on disk.
    """
    return b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file())


def test_vouchers_are_kept_with_the_row_and_count_with_it(gallery: Gallery, tmp_path: Path) -> None:
    vouchers = keep(gallery, 4)
    assert 4 not in gallery.vouchers(0, 9, chain=b"")

    commit(gallery, an_id(4), position=4)
    gallery.close()
    again = a_gallery(tmp_path / "a", me="a", dims=DIMS)

    assert again.vouchers(4, 4, chain=b"") == {4: vouchers}
    assert set(again.vouchers(2, 4, chain=b"")) == {2, 3, 4}
    again.close()


def test_enrolment_that_is_sent_again_has_its_latest_vouchers(gallery: Gallery) -> None:
    keep(gallery, 4)
    latest = keep(gallery, 4)
    commit(gallery, an_id(4), position=4)

    assert gallery.vouchers(4, 4, chain=b"") == {4: latest}


def test_vouchers_of_renewed_rows_count_after_their_renewal_alone(gallery: Gallery) -> None:
    after, before = a_piece(3), a_piece(3)

    gallery.renewing.keep_vouched(CHAIN, np.arange(1, 4), after=after, before=before)

    vouched = gallery._holding.vouched
    assert vouched.count(CHAIN) == 3
    assert vouched.count(b"") == 0
    assert vouched.of(1, 3, chain=CHAIN)[2] == Vouchers(after.voucher(1), before.voucher(1))
    assert vouched.of(1, 3, chain=b"")[2] != vouched.of(1, 3, chain=CHAIN)[2]
    with pytest.raises(GalleriesDiffer):
        gallery.vouchers(1, 3, chain=CHAIN)


def test_erased_row_takes_its_vouchers_with_it(gallery: Gallery, tmp_path: Path) -> None:
    enrolled = gallery.vouchers(1, 3, chain=b"")
    after, before = a_piece(3), a_piece(3)
    gallery.renewing.keep_vouched(CHAIN, np.arange(1, 4), after=after, before=before)
    gone = [enrolled[2].after.digest, enrolled[2].before.half, after.voucher(1).digest, before.voucher(1).digest]
    left = [enrolled[1].after.digest, after.voucher(0).digest, before.voucher(2).digest]

    erase(gallery, an_id(2), now_ms=0)

    vouched = gallery._holding.vouched
    assert vouched.of(1, 3, chain=CHAIN).keys() == {1, 3}
    assert vouched.of(1, 3, chain=CHAIN)[3] == Vouchers(after.voucher(2), before.voucher(2))
    assert vouched.of(1, 3, chain=b"").keys() == {1, 3}
    assert not any(one in bytes_of(tmp_path) for one in gone)
    assert all(one in bytes_of(tmp_path) for one in left)


def test_aborted_and_expired_enrolments_take_their_vouchers_with_them(gallery: Gallery, tmp_path: Path) -> None:
    aborted, expired, waits = keep(gallery, 4), keep(gallery, 5), keep(gallery, 6, now_ms=1)
    abort(gallery, an_id(4), now_ms=0)

    gallery.drop_expired(now_ms=PENDING_S_MAX * 1000 + 1)

    content = bytes_of(tmp_path)
    assert not any(one.after.digest in content for one in (aborted, expired))
    assert waits.after.digest in content


def test_rows_that_are_gone_are_not_vouched_for(gallery: Gallery) -> None:
    erase(gallery, an_id(2), now_ms=0)

    gallery.renewing.keep_vouched(CHAIN, np.arange(1, 4), after=a_piece(3), before=a_piece(3))

    assert gallery._holding.vouched.of(1, 3, chain=CHAIN).keys() == {1, 3}
    assert gallery._holding.vouched.count(CHAIN) == 2
