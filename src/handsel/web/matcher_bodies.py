"""
Hold what travels over HTTP to and from a matcher. Everything in it is sealed or signed.

Matchers load this module, so it knows nothing of money, notes or flows.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class QueryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Ask a matcher for its part of a match: a `Query`, sealed to it.
    """

    envelope: bytes


class MatcherEnrolmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give a matcher its shares of a palm and of an alias: a `Template` and an `AliasShare`, both sealed to it.
    """

    template: bytes
    alias_share: bytes


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a matcher's `Answer`, sealed to the issuer.
    """

    answer: bytes


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Give a matcher an order: an `Order` in MessagePack, and the issuer's signature of these bytes.
    """

    order: bytes
    signature: bytes


class ConfirmationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry a matcher's word: a `Confirmation` in MessagePack, and its signature of these bytes.
    """

    confirmation: bytes
    signature: bytes


class MatcherHealthBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say whether a matcher reaches its peers, or has lost its rows, how many it holds, and whether a cheating peer is
    caught.
    """

    status: Literal["ok", "waiting_for_peers", "needs_restoring", "restoring"]
    rows: int
    matcher: str
    catches_cheaters: bool
