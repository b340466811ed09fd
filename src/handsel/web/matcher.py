"""
Serve a matcher to the acquirer, which brings sealed queries, and to the issuer, which brings signed orders.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Route

from handsel.config import ISSUER, Secret
from handsel.matching.matcher import Matcher
from handsel.web.app import anyone, bearer, get, post
from handsel.web.matcher_bodies import (
    AnswerBody,
    ConfirmationBody,
    MatcherEnrolmentBody,
    MatcherHealthBody,
    OrderBody,
    QueryBody,
)


def matcher_routes(matcher: Matcher, callers: Mapping[str, Secret]) -> list[Route]:
    """
    Return the routes. Each caller is known by its link token; what it brings is checked by itself.

    Answers are sealed to the issuer, so it may not ask: with a picture of a palm it would learn whose that is.
    """
    issuer = bearer({name: token for name, token in callers.items() if name == ISSUER})
    acquirer = bearer({name: token for name, token in callers.items() if name != ISSUER})

    def answered(_: str, __: Mapping[str, str], body: QueryBody) -> AnswerBody:
        return AnswerBody(matcher.answer_query(body.envelope))

    def enrolled(_: str, __: Mapping[str, str], body: MatcherEnrolmentBody) -> AnswerBody:
        return AnswerBody(matcher.enrol(body.template, body.alias_share))

    def ordered(_: str, __: Mapping[str, str], body: OrderBody) -> ConfirmationBody:
        return ConfirmationBody(*matcher.carry_out(body.order, body.signature))

    def health(_: None, __: Mapping[str, str]) -> MatcherHealthBody:
        found = matcher.health()
        return MatcherHealthBody(found.status, found.rows, found.matcher, found.catches_cheaters)

    return [
        post("/v1/queries", acquirer, QueryBody, answered),
        post("/v1/enrolments", acquirer, MatcherEnrolmentBody, enrolled),
        post("/v1/orders", issuer, OrderBody, ordered),
        get("/v1/health", anyone, health),
    ]
