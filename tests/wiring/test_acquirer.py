"""
The acquirer as it is put together: its settings say who is let in, and nobody else is.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from handsel.config import AcquirerConfig, Link, MerchantEntry, Secret
from handsel.errors import AccessDenied, ConfigError
from handsel.flows.acquiring.acquirer import limits_of_till
from handsel.flows.acquiring.sign_in import find_till, sign_in_merchant
from handsel.limits import AMOUNT_MINOR_MAX, TillLimits
from handsel.store.acquirer import AcquirerDatabase
from handsel.wiring.acquirer import build_acquirer, open_or_make_identity

LINK = Link("http://127.0.0.1:9", Secret("l" * 64))
KEY, OTHER_KEY, TOKEN, OTHER_TOKEN = ("k" * 64, "o" * 64, "t" * 64, "u" * 64)
CAFE = {"till-1": Secret(TOKEN), "till-2": Secret(OTHER_TOKEN)}


def settings(**merchants: MerchantEntry) -> AcquirerConfig:
    """
    Return the settings of an acquirer of these merchants.
    """
    return AcquirerConfig(8402, LINK, dict.fromkeys("abc", LINK), merchants, bytes(32))


def test_a_till_that_was_struck_from_the_settings_is_not_let_in_again(tmp_path: Path) -> None:
    store = AcquirerDatabase.open(tmp_path / "own" / "ledger.sqlite")
    bar = MerchantEntry("Bar", Secret(OTHER_KEY), {})
    build_acquirer(settings(cafe=MerchantEntry("Café", Secret(KEY), CAFE), bar=bar), store, tmp_path)

    left = {"till-1": Secret(TOKEN)}
    acquirer = build_acquirer(settings(cafe=MerchantEntry("Café", Secret(KEY), left)), store, tmp_path)

    assert find_till(acquirer, TOKEN).name == "till-1"
    assert sign_in_merchant(acquirer, KEY).id == "cafe"
    with pytest.raises(AccessDenied):
        find_till(acquirer, OTHER_TOKEN)
    with pytest.raises(AccessDenied):
        sign_in_merchant(acquirer, OTHER_KEY)
    store.close()


def test_the_limits_of_its_tills_are_those_of_the_settings(tmp_path: Path) -> None:
    store = AcquirerDatabase.open(tmp_path / "own" / "ledger.sqlite")
    limits = TillLimits(palms_per_minute_max=7, wrong_share_max=0.25, lock_s_min=1.5)

    usual = build_acquirer(settings(), store, tmp_path).asking
    asking = build_acquirer(msgspec.structs.replace(settings(), till_limits=limits), store, tmp_path).asking
    store.close()

    assert usual == limits_of_till(TillLimits())
    assert (asking.per_minute_max, asking.wrong_max, asking.wrong_of, asking.lock_ms_min) == (7, 25, 100, 1500)


def test_a_venue_takes_by_palm_what_the_settings_say(tmp_path: Path) -> None:
    store = AcquirerDatabase.open(tmp_path / "own" / "ledger.sqlite")
    cafe = MerchantEntry("Café", Secret(KEY), {}, palm_minor_max=20_00)
    bar = MerchantEntry("Bar", Secret(OTHER_KEY), {})

    acquirer = build_acquirer(settings(cafe=cafe, bar=bar), store, tmp_path)
    store.close()

    assert acquirer.palm_minor_max == {"cafe": 20_00, "bar": AMOUNT_MINOR_MAX}


def test_its_keys_are_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    """
    A receipt that it signed before a start is its own after it, and a key that others can read is not used.
    """
    path = tmp_path / "identity.key"

    made = open_or_make_identity(path).public()

    assert open_or_make_identity(path).public() == made
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError):
        open_or_make_identity(path)
