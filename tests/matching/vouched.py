"""
Vouch for rows in tests, and see that every row of three galleries is vouched for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from handsel.matching.columns import Columns
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.gallery import Gallery
from handsel.matching.kept import Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.message import MATCHERS
from handsel.matching.renewal import Renewal, next_chain
from handsel.matching.vouched import Batch
from handsel.matching.voucher import DIGEST_BYTES, HALF_BYTES, Halves, Voucher, Vouchers, digest_of, joined_key
from handsel.matching.vouching import vouch_for_enrolment, vouch_for_renewed

VOUCHERS = Vouchers(
    Voucher(bytes(DIGEST_BYTES), bytes(HALF_BYTES)), Voucher(bytes([1] * DIGEST_BYTES), bytes([1] * HALF_BYTES))
)


def vouchers_of(enrolment_id: bytes, shares: Mapping[str, Shares]) -> dict[str, Vouchers]:
    """
    Return what each of the three gets of both others when a palm is enrolled, by matcher.
    """
    halves = {name: Halves.drawn(os.urandom(HALF_BYTES), enrolment_id) for name in MATCHERS}
    digests = {name: digest_of(enrolment_id, shares[name], key=halves[name].key()) for name in MATCHERS}
    dialogues = {name: vouch_for_enrolment(Seat(name), digests[name], halves[name]) for name in MATCHERS}
    return dict(Lockstep(dialogues).run())


def vouch(galleries: Mapping[str, Gallery], seed: bytes) -> None:
    """
    Have the three vouch for their rows as they will be once they are renewed with a seed.
    """
    Lockstep({name: vouching(name, gallery, seed) for name, gallery in galleries.items()}).run()


def vouching(name: str, gallery: Gallery, seed: bytes) -> Dialogue[bytes]:
    """
    Return one matcher's part of that.
    """
    rows, renewal = gallery.rows(), Renewal(name, seed)
    chain = next_chain(rows.chain, seed)

    def keep(positions: NDArray[np.int64], after: Batch, before: Batch) -> None:
        gallery.renewing.keep_vouched(chain, positions, after=after, before=before)

    return vouch_for_renewed(Seat(name), rows, renewal, random_bytes=os.urandom, keep=keep)


def given_for(name: str, galleries: Mapping[str, Gallery]) -> dict[int, tuple[Voucher, Voucher]]:
    """
    Return what one has vouched for by, as the next one and the one before keep it, by position.
    """
    after, before = (galleries[other] for other in Seat(name).others)
    theirs, others = (one.vouchers(0, 1 << 40, chain=one.rows().chain) for one in (after, before))
    assert theirs.keys() == others.keys()
    return {position: (theirs[position].before, others[position].after) for position in theirs}


def require_vouched(galleries: Mapping[str, Gallery]) -> None:
    """
    Require that for every row of all three both others hold the same digest, which is that of the row under the key
    that both their halves make; and nothing of other rows.
    """
    for name, gallery in galleries.items():
        given, rows = given_for(name, galleries), gallery.rows()
        assert set(given) == set(rows.positions.tolist())
        for row in Columns.of(rows, start=0, stop=rows.count).rows():
            one, other = given[row.position]
            key = joined_key(one.half, other.half)
            expected = digest_of(row.enrolment_id, Shares(row.template, row.own, row.pair), key=key)
            assert one.digest == other.digest == expected
            assert one.half != other.half
