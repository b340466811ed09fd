"""
Promise that a proof of redemption can be checked by anybody with the root's public half, and names nobody.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel.errors import SignatureInvalid
from handsel.ids import new_id
from handsel.notes.issue import NoteKeys
from handsel.notes.redeemed import RedeemedBefore, RedemptionProof, open_proof, redemption_digest

SERIAL = bytes(range(32))


@pytest.fixture
def statement(note_keys: NoteKeys) -> RedeemedBefore:
    """
    What is stated.
    """
    return RedeemedBefore(SERIAL, note_keys.public().keys[0].key_id, redemption_digest(new_id()), 1_800_000_000_000)


def test_a_proof_says_what_was_stated_and_is_the_same_each_time(note_keys: NoteKeys, statement: RedeemedBefore) -> None:
    proof = note_keys.prove(statement)

    assert open_proof(proof, root=note_keys.root(), serial=SERIAL) == statement
    assert note_keys.prove(statement) == proof


def test_a_proof_of_another_note_issuer_or_content_is_none(note_keys: NoteKeys, statement: RedeemedBefore) -> None:
    proof = note_keys.prove(statement)
    later = msgspec.msgpack.encode(msgspec.structs.replace(statement, redeemed_ms=statement.redeemed_ms + 1))
    stripped = RedemptionProof(note_keys.announced().content, note_keys.announced().signature)

    for wrong in (RedemptionProof(later, proof.signature), RedemptionProof(proof.content, bytes(64)), stripped):
        with pytest.raises(SignatureInvalid):
            open_proof(wrong, root=note_keys.root(), serial=SERIAL)
    with pytest.raises(SignatureInvalid):
        open_proof(proof, root=note_keys.root(), serial=SERIAL[::-1])
    with pytest.raises(SignatureInvalid):
        open_proof(proof, root=bytes(32), serial=SERIAL)


def test_nothing_of_a_note_is_printed(note_keys: NoteKeys, statement: RedeemedBefore) -> None:
    assert (repr(statement), repr(note_keys.prove(statement))) == ("RedeemedBefore()", "RedemptionProof()")
