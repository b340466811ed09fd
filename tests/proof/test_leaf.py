"""
Promise that a leaf has one hash, which stands for all that is in it and tells nobody anything.
"""

from __future__ import annotations

from hashlib import sha256, sha512

import msgspec
import pytest

from handsel.errors import ProofInvalid
from handsel.proof.leaf import AccountOpening, Commitments, Leaf, RunningOpening, nonces

SIDES = [bytes((place,)) * 32 for place in range(4)]
LEAF = Leaf(
    sequence=7,
    id="0f" * 16,
    kind="capture",
    amount_minor=1250,
    currency="EUR",
    code="payment",
    at_ms=1_700_000_000_000,
    debit=Commitments(SIDES[0], SIDES[1]),
    credit=Commitments(SIDES[2], SIDES[3]),
    pending_id="0e" * 16,
)


def test_the_layout_is_the_one_that_is_documented() -> None:
    """
    Put together by hand, as docs/proofs.md says. It must never change under version 1.
    """
    content = (
        b"\x01"
        + (7).to_bytes(8, "big")
        + b"\x0f" * 16
        + b"\x03"
        + b"\x02"
        + (1250).to_bytes(8, "big")
        + b"EUR"
        + (1_700_000_000_000).to_bytes(8, "big")
        + bytes(8)
        + b"\x0e" * 16
        + bytes(16)
        + b"".join(SIDES)
        + b"\x07payment"
        + b"\x00"
    )

    assert LEAF.hash() == sha256(b"\0" + content).digest()


def test_the_commitments_are_those_that_are_documented() -> None:
    nonce = b"n" * 16
    number, left = (3).to_bytes(8, "big"), (-5).to_bytes(8, "big", signed=True)

    assert AccountOpening("wallet:a", nonce).commitment() == sha256(b"\2" + nonce + b"wallet:a").digest()
    assert RunningOpening(3, -5, nonce).commitment() == sha256(b"\3" + nonce + number + left).digest()
    drawn = sha512(b"s" * 32 + (9).to_bytes(8, "big")).digest()
    assert b"".join(nonces(b"s" * 32, 9)) == drawn


OTHERS = {
    "sequence": 8,
    "id": "1f" * 16,
    "kind": "post",
    "amount_minor": 1251,
    "currency": "",
    "code": "payments",
    "at_ms": 1,
    "debit": Commitments(SIDES[3], SIDES[1]),
    "credit": Commitments(SIDES[2], SIDES[0]),
    "happened_at_ms": 0,
    "pending_id": None,
    "link_id": "00" * 16,
    "refusal": "account_closed",
}


def test_every_field_is_in_the_hash() -> None:
    assert set(OTHERS) == set(Leaf.__struct_fields__)
    changed = [msgspec.structs.replace(LEAF, **{name: value}) for name, value in OTHERS.items()]

    assert len({each.hash() for each in (LEAF, *changed)}) == len(OTHERS) + 1
    assert msgspec.structs.replace(LEAF, pending_id="00" * 16).hash() != changed[10].hash()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": -1},
        {"amount_minor": 2**64},
        {"kind": "refused"},
        {"id": "not an id"},
        {"code": "p" * 300},
        {"code": "zahlung für"},
        {"link_id": ""},
    ],
)
def test_what_is_no_leaf_has_no_hash(wrong: dict[str, object]) -> None:
    with pytest.raises(ProofInvalid):
        msgspec.structs.replace(LEAF, **wrong).hash()


def test_a_currency_is_not_cut_and_not_filled_up() -> None:
    for wrong in ("EURO", "EU", "eur"):
        with pytest.raises(ProofInvalid):
            msgspec.structs.replace(LEAF, currency=wrong)


def test_an_opening_is_whole() -> None:
    with pytest.raises(ProofInvalid):
        AccountOpening("wallet:a", b"short").commitment()
    with pytest.raises(ProofInvalid):
        RunningOpening(-1, 0, b"n" * 16).commitment()
    with pytest.raises(ProofInvalid):
        Commitments(b"short", bytes(32))


def test_reprs_tell_nothing() -> None:
    values = (LEAF, AccountOpening("wallet:a", b"n" * 16), RunningOpening(3, 5, b"n" * 16))

    assert [repr(value) for value in values] == ["Leaf()", "AccountOpening()", "RunningOpening()"]
