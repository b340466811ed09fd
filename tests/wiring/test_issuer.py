"""
The issuer as it is put together: its settings say how often an acquirer may ask, and how much a wallet pays.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from handsel.config import IssuerConfig, load_config
from handsel.flows.issuing.issuer import limits_of_acquirer, limits_of_card, limits_of_payment, limits_of_pin
from handsel.limits import AcquirerLimits, AloneSince, CardLimits, PaymentLimits, PinLimits
from handsel.pay.limit import CONTACTLESS_EUR
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


def test_limits_and_second_factors_are_those_of_the_settings(tmp_path: Path) -> None:
    set_up(tmp_path, Ports(8401))
    home = tmp_path / "issuer"
    config = load_config(home / CONFIG_FILE, IssuerConfig, role="issuer", environment={})
    payment, pin = PaymentLimits(alone_since=AloneSince.NUMBER, day_minor_max=600_00), PinLimits(digits_min=4)
    usual = build_issuer(config, home)
    usual.database.close()

    changed = msgspec.structs.replace(config, payment_limits=payment, pin_limits=pin, wallet_origin="")
    issuer = build_issuer(changed, home)
    issuer.database.close()

    assert config.wallet_origin == "http://wallet.localhost:8401"
    assert usual.factors.party is not None
    assert usual.limits == CONTACTLESS_EUR
    assert issuer.limits == limits_of_payment(payment, currency="EUR")
    assert (issuer.factors.digits_min, issuer.factors.tries) == (4, limits_of_pin(pin))
    assert issuer.factors.party is None
    stored = usual.factors.pins.hash_pin("402917")
    assert issuer.factors.pins.is_right("402917", stored=stored)  # After a restart, too.
