"""
Whatever the network does to a request, its sender knows whether it may have arrived.
"""

from __future__ import annotations

import msgspec
import pytest
from msgspec.json import Decoder

from handsel import errors
from handsel.config import Link
from handsel.errors import BodyInvalid, ConfigError, HandselError, PartyUnavailable
from handsel.web.errors import STATUS, ErrorBody, ErrorDetail
from handsel.web.party_link import ANSWER_BYTES_MAX, MESSAGE_CHARS_MAX, Lost, PartyLink
from tests.web.near_server import TOKEN, answering, nobody


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Stand for a body and for an answer.
    """

    value: int


THING = Decoder(Thing)
REFUSALS = [kind for kind, status in STATUS.items() if status < 500 and kind is not errors.AccessDenied]
FAILURES = [kind for kind, status in STATUS.items() if status >= 500]


def http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


def error(kind: type[HandselError], message: str = "do something else") -> bytes:
    return msgspec.json.encode(ErrorBody(ErrorDetail(kind.code, message, kind.is_retryable)))


def post_once(link: Link, *, timeout_s: float = 5.0) -> Thing | Lost:
    party = PartyLink(link, party="the issuer", timeout_s=timeout_s)
    try:
        return party.post_once("/v1/things", Thing(1), THING)
    finally:
        party.close()


def post(link: Link) -> Thing:
    party = PartyLink(link, party="the issuer", timeout_s=5.0)
    try:
        return party.post("/v1/things", Thing(1), THING)
    finally:
        party.close()


def test_an_answer_is_what_was_asked_for() -> None:
    with answering(http(200, b'{"value":7}')) as link:
        assert post_once(link) == Thing(7)


def test_where_nothing_listens_nothing_was_sent() -> None:
    with pytest.raises(PartyUnavailable):
        post_once(nobody())
    with pytest.raises(PartyUnavailable):
        post(nobody())


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{",
        b"nonsense\r\n\r\n",
        http(200, b"not JSON"),
        http(200, b'{"value":"text"}'),
        http(200, b'{"value":1,"more":2}'),
        http(200, b'{"\xff":1}'),
        http(400, b'{"error":{"code":"\xff","message":"","is_retryable":false}}'),
        http(404, b"<html>a proxy's page</html>"),
        http(502, b""),
        http(200, b'{"value":1}' + b" " * ANSWER_BYTES_MAX),
    ],
    ids=[
        "hung up",
        "cut off",
        "no HTTP",
        "no JSON",
        "wrong type",
        "unknown field",
        "no UTF-8",
        "no UTF-8 refused",
        "proxy",
        "bad gateway",
        "too long",
    ],
)
def test_an_answer_that_cannot_be_used_is_lost(reply: bytes) -> None:
    with answering(reply) as link:
        assert post_once(link) == Lost()
    with answering(reply) as link, pytest.raises(PartyUnavailable):
        post(link)


def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    with answering(b"", holds=True) as link:
        assert post_once(link, timeout_s=0.1) == Lost()


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_arrives_as_what_was_raised(kind: type[HandselError]) -> None:
    with answering(http(STATUS[kind], error(kind))) as link, pytest.raises(kind) as raised:
        post_once(link)

    assert type(raised.value) is kind
    assert str(raised.value) == "do something else"


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_of_the_other_party_leaves_the_outcome_open(kind: type[HandselError]) -> None:
    with answering(http(STATUS[kind], error(kind))) as link:
        assert post_once(link) == Lost()


def test_a_link_token_that_is_refused_is_our_own_setting_and_not_our_callers_fault() -> None:
    with answering(http(401, error(errors.AccessDenied))) as link, pytest.raises(ConfigError):
        post_once(link)


def test_a_refusal_of_a_kind_that_is_not_known_is_no_answer() -> None:
    body = msgspec.json.encode(ErrorBody(ErrorDetail("a_new_code", "text", False)))

    with answering(http(400, body)) as link, pytest.raises(PartyUnavailable):
        post_once(link)


def test_a_message_has_a_bound_and_no_token_is_in_it() -> None:
    with answering(http(400, error(BodyInvalid, "x" * 10_000))) as link, pytest.raises(BodyInvalid) as raised:
        post_once(link)

    assert str(raised.value) == "x" * MESSAGE_CHARS_MAX
    with pytest.raises(PartyUnavailable) as unreachable:
        post_once(nobody())
    assert TOKEN[:8] not in repr(unreachable.value) + repr(unreachable.value.__cause__)
