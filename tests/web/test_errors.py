"""
The table at the edge: every exception has a status, and a caller learns a code, a sentence and whether to ask again.
"""

from __future__ import annotations

import msgspec
import pytest

from handsel import errors
from handsel.web.errors import STATUS, error_body
from tests.test_errors import every_error


def test_the_table_names_every_class_and_nothing_else() -> None:
    assert set(STATUS) == set(every_error())


def test_every_status_is_an_error() -> None:
    assert [kind for kind, status in STATUS.items() if not 400 <= status <= 599] == []


def test_the_callers_mistakes_are_4xx_and_ours_are_5xx() -> None:
    callers = {
        kind for kind in every_error() if issubclass(kind, errors.BadInput | errors.AccessDenied | errors.Untrusted)
    }

    # A gallery that is full or in use is nobody's mistake, and asking again does not help: the caller must learn of it.
    nobody_s = {errors.GalleryFull, errors.GalleryInUse}
    assert {kind for kind, status in STATUS.items() if status < 500} == callers | nobody_s


def test_what_may_pass_is_a_503_or_a_full_disk() -> None:
    assert {STATUS[kind] for kind in every_error() if kind.is_retryable} == {503, 507}


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.code)
def test_an_error_is_told_by_code_sentence_and_whether_to_ask_again(kind: type[errors.HandselError]) -> None:
    told = msgspec.json.decode(msgspec.json.encode(error_body(kind("do this instead"))))

    assert told == {
        "error": {"code": kind.code, "message": "do this instead", "is_retryable": kind.is_retryable},
    }


def test_an_error_without_words_tells_its_code() -> None:
    assert error_body(errors.NotFound()).error.message == "not_found"


def test_what_caused_an_error_is_not_told() -> None:
    try:
        raise errors.StoreError("nothing was changed") from ValueError("wallet:4711")
    except errors.StoreError as exc:
        assert "4711" not in msgspec.json.encode(error_body(exc)).decode()
