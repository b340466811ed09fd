"""
Promise that a return code leads to one order and belongs to one charge, and that neither of its hashes tells the other.
"""

from __future__ import annotations

import hashlib
import re
import secrets

import pytest

from handsel.errors import BodyInvalid
from handsel.return_code import (
    RETURN_DIGEST_BYTES,
    draw_return_code,
    find_order,
    fits_digest,
    nonce_of,
    note_serial,
    order_id_from,
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


def test_all_hashes_are_as_they_are_written_down() -> None:
    """
    The wallet's page makes the same, and decides by them whether the code is shown.
    """
    nonce = hashlib.sha256(b"handsel/v1/charge-nonce\0" + CODE.encode()).hexdigest()[:32]
    order = hashlib.sha256(b"handsel/v1/order-id\0" + CHARGE_ID.encode() + nonce.encode()).hexdigest()
    serial = hashlib.sha256(b"handsel/v1/note-serial\0" + CHARGE_ID.encode() + nonce.encode() + bytes(4)).digest()
    digest = hashlib.sha256(b"handsel/v1/return-code\0" + CHARGE_ID.encode() + CODE.encode()).digest()

    assert nonce_of(CODE) == nonce
    assert order_id_of(CODE, charge_id=CHARGE_ID) == order_id_from(nonce, charge_id=CHARGE_ID) == order[:32]
    assert note_serial(nonce, charge_id=CHARGE_ID, index=0) == serial
    assert return_digest_of(CODE, charge_id=CHARGE_ID) == digest
    assert len(digest) == RETURN_DIGEST_BYTES


def test_a_code_fits_its_own_charge_alone() -> None:
    digest = return_digest_of(CODE, charge_id=CHARGE_ID)

    assert fits_digest(CODE, charge_id=CHARGE_ID, digest=digest)
    assert not fits_digest(CODE, charge_id="c2" * 16, digest=digest)
    assert not fits_digest("b" + CODE[1:], charge_id=CHARGE_ID, digest=digest)
    assert not fits_digest("", charge_id=CHARGE_ID, digest=digest)
    assert find_order(CODE, charge_id=CHARGE_ID, digest=digest) == order_id_of(CODE, charge_id=CHARGE_ID)
    assert find_order("b" + CODE[1:], charge_id=CHARGE_ID, digest=digest) is None
    assert find_order(CODE, charge_id=CHARGE_ID, digest=None) is None
    with pytest.raises(BodyInvalid):
        return_digest_of(CODE, charge_id="c1")


def test_of_two_charges_codes_or_places_no_two_have_an_id_or_serial_in_common() -> None:
    codes, charges = (CODE, "b" + CODE[1:]), (CHARGE_ID, "c2" * 16)

    assert len({order_id_of(code, charge_id=charge_id) for code in codes for charge_id in charges}) == 4
    serials = {
        note_serial(nonce_of(code), charge_id=charge_id, index=index)
        for code in codes
        for charge_id in charges
        for index in range(3)
    }
    assert len(serials) == 12


@pytest.mark.parametrize(("nonce", "charge_id"), [("", CHARGE_ID), ("n" * 32, CHARGE_ID), ("1" * 32, "c1")])
def test_what_is_no_nonce_or_id_is_refused(nonce: str, charge_id: str) -> None:
    with pytest.raises(BodyInvalid):
        order_id_from(nonce, charge_id=charge_id)
    with pytest.raises(BodyInvalid):
        note_serial(nonce, charge_id=charge_id, index=0)


@pytest.mark.parametrize("typed", [CODE, " abcd efgh ij23 4567 abcd ", "ABCD-EFGH-IJ23-4567-ABCD"])
def test_a_code_is_read_as_people_type(typed: str) -> None:
    assert read_return_code(typed) == CODE


@pytest.mark.parametrize(
    "typed", ["", "abcdefghij234567", CODE + "a", CODE[:-1] + "1", CODE[:-1] + "ä", CODE[:-1] + "١"]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(BodyInvalid, match="return code"):
        read_return_code(typed)
