"""
Promise that of what browsers send only the right answer is taken, and that nothing else does any harm.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handsel.errors import PasskeyInvalid
from handsel.flows.issuing.relying_party import RESPONSE_CHARS_MAX, Passkey, RelyingParty
from tests.flows.issuing.authenticator import Authenticator
from tests.flows.issuing.scene import ORIGIN

PARTY = RelyingParty(ORIGIN)
CHALLENGE = bytes(32)
KNOWN = Authenticator()
MADE = KNOWN.make(PARTY.ask_for_new(challenge=CHALLENGE, user_id=b"u" * 32, held=()))
HELD = PARTY.check_new(MADE, challenge=CHALLENGE)
SIGNED = KNOWN.sign(PARTY.ask_for_yes(challenge=CHALLENGE, held=[HELD]))

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def refused(response: str) -> None:
    with pytest.raises(PasskeyInvalid):
        PARTY.check_new(response, challenge=CHALLENGE)
    with pytest.raises(PasskeyInvalid):
        PARTY.check_yes(response, challenge=CHALLENGE, held=[HELD])


@given(st.text(max_size=60) | jsons.map(json.dumps))
def test_what_is_no_answer_is_refused(response: str) -> None:
    refused(response)


@given(st.sampled_from([MADE, SIGNED]), st.sampled_from(["rawId", "response"]), jsons, st.integers(0, 2))
def test_an_answer_with_a_wrong_part_is_refused(answer: str, part: str, wrong: object, depth: int) -> None:
    parsed = json.loads(answer)
    target, name = (parsed, part) if part == "rawId" else (parsed["response"], sorted(parsed["response"])[depth % 2])
    target[name] = wrong

    refused(json.dumps(parsed))


def test_an_answer_that_is_too_long_or_too_deep_is_refused() -> None:
    refused(json.dumps({**json.loads(SIGNED), "more": "x" * RESPONSE_CHARS_MAX}))
    refused("[" * (RESPONSE_CHARS_MAX - 1))


def test_the_right_answer_is_taken_and_counted() -> None:
    assert PARTY.check_yes(SIGNED, challenge=CHALLENGE, held=[HELD]) == Passkey(HELD.id, HELD.credential, 1)
    assert dataclasses.replace(HELD, sign_count=0) == HELD
