"""
Ids: random, of one form, and nothing else passes for one.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid
from handsel.ids import ID_BYTES, id_to_bytes, new_id, require_id, require_order_id

DRAWS = 1_000


def test_a_new_id_is_an_id() -> None:
    made = new_id()

    assert require_id(made) == made


def test_new_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(DRAWS)}) == DRAWS


def test_an_id_is_sixteen_bytes() -> None:
    assert len(id_to_bytes(new_id())) == ID_BYTES == 16


def test_the_bytes_of_an_id_are_its_digits() -> None:
    assert id_to_bytes("00" * 15 + "ff") == bytes(15) + b"\xff"


@pytest.mark.parametrize(
    "text",
    ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, " " + "0" * 31, "0" * 32 + "\n", "٠" * 32, "../" + "0" * 29],
    ids=["empty", "one short", "one long", "upper case", "no digit", "space", "line end", "other digits", "a path"],
)
def test_what_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(BodyInvalid):
        require_id(text)
    with pytest.raises(BodyInvalid):
        id_to_bytes(text)


def test_an_order_has_an_id_of_its_own() -> None:
    kept, order_id = new_id(), new_id()

    assert require_order_id(order_id, other_than=kept) == order_id
    for refused in (kept, "x"):
        with pytest.raises(BodyInvalid):
            require_order_id(refused, other_than=kept)


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(BodyInvalid) as caught:
        require_id("4111111111111111")

    assert "4111" not in str(caught.value)
