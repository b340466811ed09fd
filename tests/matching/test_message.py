"""
Messages of the match: three answers make an alias, and anything but three answers to one bound query is refused.
"""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys

import msgspec
import pytest

from handsel.errors import BindingMismatch, EnvelopeInvalid, Untrusted
from handsel.ids import ID_BYTES
from handsel.matching.message import ALIAS_BYTES, MATCHERS, AliasShare, Answer, Query, Template, combine

BINDING = b"b" * 32
QUERY_ID = b"q" * ID_BYTES
ALIAS = bytes(range(1, ALIAS_BYTES + 1))


def answers_for(alias: bytes) -> tuple[Answer, ...]:
    """
    Return three answers that hold `alias` together: two random masks and what is left.
    """
    masks = [secrets.token_bytes(ALIAS_BYTES) for _ in range(2)]
    last = bytes(a ^ x ^ y for a, x, y in zip(alias, *masks, strict=True))
    return tuple(Answer(QUERY_ID, BINDING, name, mask) for name, mask in zip(MATCHERS, [*masks, last], strict=True))


def with_one_changed(**changes: str | bytes) -> tuple[Answer, ...]:
    """
    Return three answers of which the last was changed.
    """
    *others, last = answers_for(ALIAS)
    return (*others, msgspec.structs.replace(last, **changes))


def test_three_answers_hold_the_alias() -> None:
    assert combine(answers_for(ALIAS), binding=BINDING) == ALIAS


def test_zeros_mean_that_no_row_matched() -> None:
    assert combine(answers_for(bytes(ALIAS_BYTES)), binding=BINDING) is None


@pytest.mark.parametrize("position", range(ALIAS_BYTES))
def test_one_bit_anywhere_is_an_alias(position: int) -> None:
    alias = bytearray(ALIAS_BYTES)
    alias[position] = 1

    assert combine(answers_for(bytes(alias)), binding=BINDING) == bytes(alias)


def test_the_order_of_the_answers_does_not_matter() -> None:
    for order in itertools.permutations(answers_for(ALIAS)):
        assert combine(order, binding=BINDING) == ALIAS


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_answers_are_refused(count: int) -> None:
    with pytest.raises(EnvelopeInvalid, match="three matchers"):
        combine(answers_for(ALIAS)[:count], binding=BINDING)


def test_more_than_three_answers_are_refused() -> None:
    answers = answers_for(ALIAS)

    with pytest.raises(EnvelopeInvalid, match="three matchers"):
        combine((*answers, answers[0]), binding=BINDING)


@pytest.mark.parametrize("matcher", ["a", "d", "", "C"])
def test_two_answers_of_one_matcher_and_answers_of_strangers_are_refused(matcher: str) -> None:
    with pytest.raises(EnvelopeInvalid, match="three matchers"):
        combine(with_one_changed(matcher=matcher), binding=BINDING)


def test_answers_to_two_queries_are_refused() -> None:
    with pytest.raises(EnvelopeInvalid, match="one query"):
        combine(with_one_changed(query_id=b"r" * ID_BYTES), binding=BINDING)


@pytest.mark.parametrize("length", [0, ID_BYTES - 1, ID_BYTES + 1])
def test_a_query_id_of_another_length_is_refused(length: int) -> None:
    answers = tuple(msgspec.structs.replace(answer, query_id=b"q" * length) for answer in answers_for(ALIAS))

    with pytest.raises(EnvelopeInvalid, match="one query"):
        combine(answers, binding=BINDING)


@pytest.mark.parametrize("binding", [b"", b"x" * 32, BINDING[:-1]])
def test_an_answer_bound_to_something_else_is_refused(binding: bytes) -> None:
    with pytest.raises(BindingMismatch):
        combine(with_one_changed(binding=binding), binding=BINDING)


def test_answers_that_are_all_bound_to_something_else_are_refused() -> None:
    with pytest.raises(BindingMismatch):
        combine(answers_for(ALIAS), binding=b"another payment".ljust(32))


@pytest.mark.parametrize("length", [0, ALIAS_BYTES - 1, ALIAS_BYTES + 1])
def test_an_answer_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(EnvelopeInvalid, match="16 bytes"):
        combine(with_one_changed(masked=bytes(length)), binding=BINDING)


def test_every_refusal_is_of_one_family_and_shows_no_bytes() -> None:
    for wrong in (with_one_changed(matcher="a"), with_one_changed(masked=b""), with_one_changed(binding=b"zz")):
        with pytest.raises(Untrusted) as caught:
            combine(wrong, binding=BINDING)
        assert not any(character in str(caught.value) for character in ("\\x", "b'", "zz"))


def test_the_module_loads_nothing_that_could_match() -> None:
    loaded = "import sys, handsel.matching.message as m; print(sorted({'numpy', 'numba', 'cv2'} & set(sys.modules)))"

    ended = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


def test_no_share_shows_in_a_repr() -> None:
    query = Query(QUERY_ID, BINDING, 1, b"secret", b"secret")
    holders = (query, Template("e", b"secret", b"secret", query), AliasShare("e", b"secret", b"secret"))

    assert "secret" not in repr((*holders, Answer(QUERY_ID, BINDING, "a", b"secret")))
