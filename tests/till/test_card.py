"""
A card: what it says is all that it is, and neither it nor what is stored of it is of use alone.
"""

from __future__ import annotations

import os

import msgspec
import numpy as np
import pytest

from handsel.errors import SignatureInvalid
from handsel.keys import verify_with
from handsel.matching.held_key import pack_template
from handsel.order import SEALED_TEMPLATE_BYTES, ChargeOrder, RefundOrder, held_message
from handsel.till.card import PREFIX, SEALING, SIGNING, TEXT_CHARS, Card, read_card

MODEL = "places-432-0123abcd"
CHARGE = ChargeOrder("0" * 32, 450, "EUR", bytes(32), ())
_DRAWN = np.random.default_rng(1).standard_normal(432)
PACKED = pack_template((_DRAWN / np.linalg.norm(_DRAWN)).astype(np.float32))


@pytest.fixture
def card() -> Card:
    """
    Return a new card.
    """
    return Card.draw(os.urandom)


def test_a_card_is_read_back_from_its_text(card: Card) -> None:
    assert card.text.startswith(PREFIX)
    assert len(card.text) == TEXT_CHARS == 73
    assert read_card(card.text) == card


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "https://example.org/",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.replace("HANDSEL1", "HANDSEL2"),
        lambda text: text.lower().replace("handsel1", "HANDSEL1")[:-1] + "!",
        lambda text: text[:-1] + "ä",
        lambda text: text[:-1] + "=",
        lambda text: text[:-2] + "==",
    ],
    ids=["nothing", "address", "truncated", "longer", "version", "mark", "letter", "padding", "paddings"],
)
def test_what_is_no_card_is_none(card: Card, spoil: object) -> None:
    assert callable(spoil)
    assert read_card(spoil(card.text)) is None


def test_a_template_opens_with_its_own_card_and_for_its_own_model(card: Card) -> None:
    sealed = card.seal_template(PACKED, model_id=MODEL)

    assert len(sealed) == SEALED_TEMPLATE_BYTES
    assert card.open_template(sealed, model_id=MODEL) == PACKED
    assert card.open_template(sealed, model_id="places-432-ffffffff") is None


def test_the_store_alone_is_useless(card: Card) -> None:
    """
    A sealed template opens with no other key, not even under the same id, and shows nothing of what is in it.
    """
    sealed = card.seal_template(PACKED, model_id=MODEL)

    assert Card(card.id, os.urandom(32)).open_template(sealed, model_id=MODEL) is None
    assert Card(os.urandom(16), card.key).open_template(sealed, model_id=MODEL) is None
    assert PACKED[2:434] not in sealed and card.key not in sealed and card.id not in sealed


def test_a_changed_template_does_not_open(card: Card) -> None:
    sealed = card.seal_template(PACKED, model_id=MODEL)

    for place in (0, 500, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert card.open_template(bytes(changed), model_id=MODEL) is None
    assert card.open_template(b"", model_id=MODEL) is None


def test_two_cards_of_one_palm_have_nothing_in_common() -> None:
    """
    No run of four bytes of one is in the other, which of a thousand random bytes is so but once in 4000 times.
    """
    one, other = (Card.draw(os.urandom) for _ in range(2))
    sealed = [card.seal_template(PACKED, model_id=MODEL) for card in (one, other)]
    runs = [{each[at : at + 5] for at in range(len(each) - 4)} for each in sealed]

    assert runs[0] & runs[1] == set()
    assert one.public_key != other.public_key


def test_a_card_holds_nothing_of_the_palm() -> None:
    """
    The card alone is useless: it is drawn before and without a palm.
    """
    drawn = [b"i" * 16, b"k" * 32]

    assert Card.draw(lambda _: drawn.pop(0)) == Card(b"i" * 16, b"k" * 32)


def test_a_proof_is_for_one_order_and_of_one_card(card: Card) -> None:
    proof = card.prove(CHARGE)

    verify_with(card.public_key, held_message(CHARGE), signature=proof.signature)
    for other in (
        msgspec.structs.replace(CHARGE, amount_minor=451),
        msgspec.structs.replace(CHARGE, order_id="1" * 32),
        RefundOrder("0" * 32, 450, "EUR", bytes(32)),
    ):
        with pytest.raises(SignatureInvalid):
            verify_with(card.public_key, held_message(other), signature=proof.signature)
    with pytest.raises(SignatureInvalid):
        verify_with(Card.draw(os.urandom).public_key, held_message(CHARGE), signature=proof.signature)


def test_sealing_and_signing_have_keys_of_their_own(card: Card) -> None:
    assert len({card.key, card._derived(SIGNING), card._derived(SEALING)}) == 3


def test_a_card_prints_nothing_of_itself(card: Card) -> None:
    assert repr(card) == "Card()"
    assert repr(card.prove(CHARGE)) == "HeldProof()"
