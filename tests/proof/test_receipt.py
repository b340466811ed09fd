"""
Promise that the proof of a receipt shows one payment to one account, and nothing of what else is on that.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.errors import ProofInvalid, SignatureInvalid
from handsel.proof.receipt import ReceiptProof, verify_receipt
from tests.proof.small_book import OTHER, PUBLIC, SHOP, Book


@pytest.fixture
def proof() -> ReceiptProof:
    """
    The proof of the second of three payments.
    """
    book = Book()
    lines = [book.add(minor) for minor in (500, 700, 300)]
    return book.receipt(lines[1])


def test_a_receipt_is_proved(proof: ReceiptProof) -> None:
    proved = verify_receipt(msgspec.json.decode(msgspec.json.encode(proof), type=ReceiptProof), key=PUBLIC)

    assert (proved.leaf.amount_minor, proved.credited, proved.head.size) == (700, SHOP, 3)


def test_how_much_the_shop_has_is_not_in_it(proof: ReceiptProof) -> None:
    told = msgspec.to_builtins(proof)

    assert set(told) == {"leaf", "credited", "path", "head", "format"}
    assert set(told["credited"]) == {"account", "nonce"}
    assert 1200 not in told["leaf"].values()


def test_whatever_is_changed_is_noticed(proof: ReceiptProof) -> None:
    replaced = msgspec.structs.replace
    for wrong in (
        replaced(proof, leaf=replaced(proof.leaf, amount_minor=701)),
        replaced(proof, leaf=replaced(proof.leaf, sequence=1)),
        replaced(proof, leaf=replaced(proof.leaf, refusal="account_closed")),
        replaced(proof, leaf=replaced(proof.leaf, kind="reserve")),
        replaced(proof, credited=replaced(proof.credited, account=OTHER)),
        replaced(proof, credited=replaced(proof.credited, nonce=bytes(16))),
        replaced(proof, path=proof.path[:-1]),
        replaced(proof, format="handsel/v1/statement"),
    ):
        with pytest.raises(ProofInvalid):
            verify_receipt(wrong, key=PUBLIC)
    with pytest.raises(SignatureInvalid):
        verify_receipt(replaced(proof, head=replaced(proof.head, signature=bytes(64))), key=PUBLIC)
