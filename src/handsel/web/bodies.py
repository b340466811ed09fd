"""
Hold the body that several routes share: none.
"""

from __future__ import annotations

import msgspec

from handsel.errors import BodyInvalid
from handsel.matching.message import PerMatcher
from handsel.order import SealedProof


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Be the body of a request that says nothing more than its address.
    """


def shown_by(three: PerMatcher | None, proof: bytes | None) -> PerMatcher | SealedProof:
    """
    Return what somebody is recognised by: three envelopes of an open hand, or one of a held key. Raises `BodyInvalid`.
    """
    if three is not None and proof is None:
        return three
    if three is None and proof is not None:
        return SealedProof(proof)
    raise BodyInvalid("send what an open hand is recognised by, or the proof of a held key: one of them")


def proof_of(shown: PerMatcher | SealedProof) -> tuple[PerMatcher | None, bytes | None]:
    """
    Return the same as the two fields of a body.
    """
    return (None, shown.envelope) if isinstance(shown, SealedProof) else (shown, None)
