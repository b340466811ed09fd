"""
Promise that three answers count only together, each under its own name.
"""

from __future__ import annotations

import secrets

import pytest

from handsel.errors import BindingMismatch, EnvelopeInvalid
from handsel.flows.issuing.open_answers import open_answers
from handsel.matching.message import PerMatcher
from tests.flows.issuing.scene import Scene

BINDING = b"b" * 32


def test_three_answers_hold_what_matched(scene: Scene) -> None:
    alias = secrets.token_bytes(16)

    assert open_answers(scene.issuer, scene.answer_with(alias, BINDING), binding=BINDING) == alias
    assert open_answers(scene.issuer, scene.answer_with(bytes(16), BINDING), binding=BINDING) is None


def test_an_answer_under_another_name_is_refused(scene: Scene) -> None:
    answers = scene.answer_with(bytes(16), BINDING)

    with pytest.raises(EnvelopeInvalid):
        open_answers(scene.issuer, PerMatcher(answers.b, answers.a, answers.c), binding=BINDING)


def test_answers_that_are_bound_to_something_else_are_refused(scene: Scene) -> None:
    with pytest.raises(BindingMismatch):
        open_answers(scene.issuer, scene.answer_with(bytes(16), BINDING), binding=b"c" * 32)


def test_envelopes_are_not_printed() -> None:
    assert repr(PerMatcher(b"a", b"b", b"c")) == "PerMatcher()"
