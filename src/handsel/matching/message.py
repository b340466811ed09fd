"""
Hold what travels to and from the matchers, and nothing that could match: no array, no share arithmetic.

Every party may import this module; issuer and acquirer import nothing else of `matching`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from handsel.errors import BindingMismatch, EnvelopeInvalid
from handsel.ids import ID_BYTES

MATCHERS: tuple[str, ...] = ("a", "b", "c")
Octets = bytes | bytearray | memoryview  # What one matcher sends to another, in whatever holds it.

ALIAS_BYTES = 16
POSITION_MAX = 1 << 62
QUERY = "till-to-matcher/query"
TEMPLATE = "till-to-matcher/template"
ANSWER = "matcher-to-issuer/answer"
ALIAS_SHARE = "issuer-to-matcher/alias-share"

OrderKind = Literal["commit", "abort", "erase", "renew", "restore"]


class PerMatcher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry three envelopes, one sealed for or by each matcher.
    """

    a: bytes
    b: bytes
    c: bytes

    def of(self, matcher: str) -> bytes:
        """
        Return the envelope of one matcher.
        """
        return {"a": self.a, "b": self.b, "c": self.c}[matcher]

    def __repr__(self) -> str:
        """
        Return nothing of what is sealed.
        """
        return "PerMatcher()"


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask one matcher for its part of a match (till → matcher, sealed).

    `shares` are V × D words of 16 bits, little-endian, row by row: this matcher's shares of V views of one palm; `rows`
    its shares of the same views as rows, which show that they are a palm's.
    """

    query_id: bytes
    binding: bytes
    views: int
    shares: bytes
    rows: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the shares.
        """
        return "Query()"


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give one matcher its share of a palm to enrol (till → matcher, sealed).

    `shares` are D words of 16 bits, little-endian, and `as_query` its shares of the same palm as a query's, which show
    that it is a palm's. `query` looks first whether the palm is enrolled already.
    """

    enrolment_id: str
    shares: bytes
    as_query: bytes
    query: Query

    def __repr__(self) -> str:
        """
        Return nothing of the shares.
        """
        return "Template()"


class AliasShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give one matcher its share of an alias (issuer → matcher, sealed).

    The alias is p_a ^ p_b ^ p_c; matcher i gets `own` = p_i and `pair` = p_i ^ p_(i+1), 16 bytes each.
    """

    enrolment_id: str
    own: bytes
    pair: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the share.
        """
        return "AliasShare()"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry 16 masked bytes to the issuer (matcher → issuer, sealed).
    """

    query_id: bytes
    binding: bytes
    matcher: str
    masked: bytes

    def __repr__(self) -> str:
        """
        Return nothing of what is masked.
        """
        return "Answer()"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Tell a matcher what becomes of an enrolment, to renew its shares, or to restore those of a `matcher` (issuer →
    matcher, signed).

    To renew and to restore have an id of their own, and `at_ms`, when it was given: a later one of the kind ends it.
    `position` orders the rows of all three galleries alike. Both are else 0.
    """

    kind: OrderKind
    enrolment_id: str
    position: int
    at_ms: int = 0
    matcher: str = ""


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Confirm that an order was carried out and is on disk (matcher → issuer, signed).
    """

    kind: OrderKind
    enrolment_id: str
    matcher: str
    at_ms: int


def combine(answers: tuple[Answer, ...], *, binding: bytes) -> bytes | None:
    """
    Return the 16 bytes that three answers hold together, or None where no row matched.

    Raises `EnvelopeInvalid` unless there is just one answer of each matcher, all to one query, and `BindingMismatch`
    where one was bound to something else. The caller must still check that the bytes are an alias it has given out:
    those of two rows that both matched are not.
    """
    if sorted(answer.matcher for answer in answers) != sorted(MATCHERS):
        raise EnvelopeInvalid("a match takes one answer from each of the three matchers")
    if len({answer.query_id for answer in answers}) != 1 or len(answers[0].query_id) != ID_BYTES:
        raise EnvelopeInvalid("the three answers do not belong to one query")
    if any(answer.binding != binding for answer in answers):
        raise BindingMismatch("the palm was shown for another payment: ask the customer to show it again")
    if any(len(answer.masked) != ALIAS_BYTES for answer in answers):
        raise EnvelopeInvalid("an answer holds 16 bytes")
    alias = bytes(a ^ b ^ c for a, b, c in zip(*(answer.masked for answer in answers), strict=True))
    return alias if any(alias) else None
