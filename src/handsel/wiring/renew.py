"""
Order the three matchers to renew their shares, as the issuer.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from handsel.clock import system_clock
from handsel.config import IssuerConfig, load_config
from handsel.ids import new_id
from handsel.keys import PartyKeys, verify_signature
from handsel.matching.message import MATCHERS, Order
from handsel.web.matcher_orders import HttpMatcherOrders
from handsel.wiring.paths import KEY_FILE


def renew(config_path: Path) -> None:
    """
    Have all three matchers confirm that they will renew their shares after the next query.

    Raises `ConfigError`, `PartyUnavailable`, `SignatureInvalid`, and what a matcher answers.
    """
    config = load_config(config_path, IssuerConfig, role="issuer")
    keys = PartyKeys.load(config_path.parent / KEY_FILE)
    order = msgspec.msgpack.encode(Order("renew", new_id(), 0, at_ms=system_clock()))
    with closing(HttpMatcherOrders(config.matchers)) as matchers:
        for name in MATCHERS:
            answer = matchers.carry_out(name, order=order, signature=keys.signature(order))
            verify_signature(answer.confirmation, answer.signature, signer=config.parties.matchers[name].keys)
