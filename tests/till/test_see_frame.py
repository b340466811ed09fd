"""
What is in a frame: a palm before anything else, or a card where one counts, or why there is neither.
"""

from __future__ import annotations

import os

import pytest

from handsel.order import Way
from handsel.till.card import Card
from handsel.till.hint import TillHint
from handsel.till.see_frame import see_frame
from handsel.vision.qr_code import as_png, draw_qr_code
from handsel.vision.quality import Reason
from tests.till.fakes import COFFEE, FakeReader, picture, reading

WAYS = (Way.OPEN_HAND, Way.HELD_KEY)


def test_what_cannot_be_decoded_is_not_even_read() -> None:
    reader = FakeReader()

    assert see_frame(reader, b"no picture", COFFEE, ways=WAYS) is TillHint.UNREADABLE
    assert reader.frames == 0


def test_a_palm_is_a_palm_and_without_one_there_is_a_reason() -> None:
    seen = reading(1)

    assert see_frame(FakeReader([seen]), picture(), COFFEE, ways=WAYS) is seen
    assert see_frame(FakeReader([Reason.TOO_DARK]), picture(), COFFEE, ways=WAYS) is Reason.TOO_DARK


@pytest.mark.parametrize(("ways", "is_card"), [(WAYS, True), ((Way.OPEN_HAND,), False), ((), False)])
def test_a_card_counts_where_it_is_a_way(ways: tuple[Way, ...], is_card: bool) -> None:
    card = Card.draw(os.urandom)
    content = as_png(draw_qr_code(card.text))

    assert isinstance(see_frame(FakeReader(), content, COFFEE, ways=ways), Card) == is_card
