"""
Give an order to the three matchers, as the issuer, that is about no enrolment.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from handsel.clock import system_clock
from handsel.config import IssuerConfig, load_config
from handsel.errors import SignatureInvalid
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.ids import new_id
from handsel.keys import PartyKeys, PublicKeys, verify_signature
from handsel.matching.message import MATCHERS, Confirmation, Order
from handsel.web.matcher_orders import HttpMatcherOrders
from handsel.wiring.paths import KEY_FILE


def renew(config_path: Path) -> None:
    """
    Have all three matchers confirm that they will renew their shares after the next query. Raises what `_give` raises.
    """
    _give(config_path, Order("renew", new_id(), 0, at_ms=system_clock()), MATCHERS)


def restore(config_path: Path, matcher: str) -> None:
    """
    Have all three matchers confirm that they restore the rows of one. Raises what `_give` raises.

    The one is asked first: where it refuses, the others need not wait for it.
    """
    order = Order("restore", new_id(), 0, at_ms=system_clock(), matcher=matcher)
    _give(config_path, order, (matcher, *(name for name in MATCHERS if name != matcher)))


def _give(config_path: Path, order: Order, names: Sequence[str]) -> None:
    """
    Give an order to matchers, one after another, each of which must confirm it.

    Raises `ConfigError`, `PartyUnavailable`, `SignatureInvalid`, and what a matcher answers.
    """
    config = load_config(config_path, IssuerConfig, role="issuer")
    keys, body = PartyKeys.load(config_path.parent / KEY_FILE), msgspec.msgpack.encode(order)
    with closing(HttpMatcherOrders(config.matchers)) as matchers:
        for name in names:
            answer = matchers.carry_out(name, order=body, signature=keys.signature(body))
            _require_confirmed(answer, order, name, keys=config.parties.matchers[name].keys)


def _require_confirmed(answer: SignedConfirmation, order: Order, name: str, *, keys: PublicKeys) -> None:
    verify_signature(answer.confirmation, answer.signature, signer=keys)
    try:
        said = msgspec.msgpack.decode(answer.confirmation, type=Confirmation)
    except msgspec.MsgspecError as exc:
        raise SignatureInvalid("what the matcher signed is not a confirmation") from exc
    if (said.kind, said.enrolment_id, said.matcher) != (order.kind, order.enrolment_id, name):
        raise SignatureInvalid("the matcher confirmed another order")
