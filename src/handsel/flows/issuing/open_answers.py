"""
Open what the three matchers answered, and put it together.
"""

from __future__ import annotations

from handsel.envelope import open_envelope
from handsel.errors import EnvelopeInvalid
from handsel.flows.issuing.issuer import Issuer
from handsel.matching.message import ANSWER, MATCHERS, Answer, PerMatcher, combine


def open_answers(issuer: Issuer, answers: PerMatcher, *, binding: bytes) -> bytes | None:
    """
    Return the 16 bytes that the three matchers answered together, or None where no palm matched.

    Raises `EnvelopeInvalid` and `BindingMismatch`, as `message.combine` does.
    """
    sealed = dict(zip(MATCHERS, (answers.a, answers.b, answers.c), strict=True))
    opened = {name: open_envelope(one, Answer, keys=issuer.keys, purpose=ANSWER) for name, one in sealed.items()}
    if any(answer.matcher != name for name, answer in opened.items()):
        raise EnvelopeInvalid("an answer must come under the name of its own matcher")
    return combine(tuple(opened.values()), binding=binding)
