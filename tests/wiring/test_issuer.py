"""
The issuer as it is put together: its settings say how often an acquirer may ask.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from handsel.config import IssuerConfig, load_config
from handsel.flows.issuing.issuer import limits_of_acquirer, limits_of_card
from handsel.limits import AcquirerLimits, CardLimits
from handsel.wiring.demo import Ports, set_up
from handsel.wiring.issuer import build_issuer
from handsel.wiring.paths import CONFIG_FILE


def test_the_limits_of_its_acquirers_are_those_of_the_settings(tmp_path: Path) -> None:
    set_up(tmp_path, Ports(8401))
    home = tmp_path / "issuer"
    config = load_config(home / CONFIG_FILE, IssuerConfig, role="issuer", environment={})
    limits = AcquirerLimits(answers_per_minute_max=7, wrong_share_max=0.25)

    issuer = build_issuer(msgspec.structs.replace(config, acquirer_limits=limits), home)
    issuer.database.close()

    assert config.acquirer_limits == AcquirerLimits()
    assert issuer.asking == limits_of_acquirer(limits)
    assert issuer.showing == limits_of_card(CardLimits())
    assert (issuer.asking.per_minute_max, issuer.asking.wrong_max, issuer.asking.wrong_of) == (7, 250, 1000)
