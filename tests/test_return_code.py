"""
Promise that a return code leads to one order and belongs to one charge, and that neither of its hashes tells the other.
"""

from __future__ import annotations

import hashlib
import re
import secrets

import pytest

from handsel.errors import BodyInvalid
from handsel.ids import require_id
from handsel.return_code import (
    RETURN_DIGEST_BYTES,
    draw_return_code,
    find_order,
    fits_digest,
    order_id_of,
    read_return_code,
    return_digest_of,
)

CODE, CHARGE_ID = "abcdefghij234567abcd", "c1" * 16


def test_a_code_has_twenty_letters_of_five_random_bits() -> None:
    codes = {draw_return_code(secrets.token_bytes) for _ in range(100)}

    assert len(codes) == 100
    assert all(re.fullmatch(r"[a-z2-7]{20}", code) for code in codes)
    assert draw_return_code(bytes) == "a" * 20
    assert draw_return_code(lambda length: b"\xff" * length) == "7" * 20


def test_both_hashes_are_as_they_are_written_down() -> None:
    """
    The wallet's page makes the same, and decides by them whether the code is shown.
    """
    order = hashlib.sha256(b"handsel/v1/order-id\0abcdefghij234567abcd").hexdigest()
    digest = hashlib.sha256(b"handsel/v1/return-code\0" + CHARGE_ID.encode() + CODE.encode()).digest()

    assert order_id_of(CODE) == require_id(order[:32])
    assert return_digest_of(CODE, charge_id=CHARGE_ID) == digest
    assert len(digest) == RETURN_DIGEST_BYTES


def test_a_code_fits_its_own_charge_alone() -> None:
    digest = return_digest_of(CODE, charge_id=CHARGE_ID)

    assert fits_digest(CODE, charge_id=CHARGE_ID, digest=digest)
    assert not fits_digest(CODE, charge_id="c2" * 16, digest=digest)
    assert not fits_digest("b" + CODE[1:], charge_id=CHARGE_ID, digest=digest)
    assert not fits_digest("", charge_id=CHARGE_ID, digest=digest)
    assert find_order(CODE, charge_id=CHARGE_ID, digest=digest) == order_id_of(CODE)
    assert find_order("b" + CODE[1:], charge_id=CHARGE_ID, digest=digest) is None
    assert find_order(CODE, charge_id=CHARGE_ID, digest=None) is None
    assert order_id_of(CODE) != order_id_of("b" + CODE[1:])
    with pytest.raises(BodyInvalid):
        return_digest_of(CODE, charge_id="c1")


@pytest.mark.parametrize("typed", [CODE, " abcd efgh ij23 4567 abcd ", "ABCD-EFGH-IJ23-4567-ABCD"])
def test_a_code_is_read_as_people_type(typed: str) -> None:
    assert read_return_code(typed) == CODE


@pytest.mark.parametrize(
    "typed", ["", "abcdefghij234567", CODE + "a", CODE[:-1] + "1", CODE[:-1] + "ä", CODE[:-1] + "١"]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(BodyInvalid, match="return code"):
        read_return_code(typed)
