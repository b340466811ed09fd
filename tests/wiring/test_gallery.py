"""
A till does not start with a gallery that its model was not measured for.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from handsel.config import Parties, TillConfig, load_config
from handsel.errors import ConfigError
from handsel.vision.eyes import open_model
from handsel.wiring.demo import Ports, set_up
from handsel.wiring.gallery import held_threshold, require_gallery


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    """
    The settings of a gallery as it is laid out.
    """
    set_up(tmp_path, Ports(8401))
    return load_config(tmp_path / "till" / "config.toml", TillConfig, role="till").parties


def test_the_threshold_that_was_planned_or_a_higher_one_is_taken(parties: Parties) -> None:
    curve = open_model().curve
    higher = msgspec.structs.replace(parties, threshold=parties.threshold + 0.05)

    assert require_gallery(curve, parties).threshold == parties.threshold
    assert require_gallery(curve, higher).threshold == higher.threshold


def test_a_threshold_that_is_too_low_for_its_gallery_is_refused(parties: Parties) -> None:
    """
    A little lower; or the same for more palms, or for a stricter target.
    """
    for changed in (
        msgspec.structs.replace(parties, threshold=parties.threshold - 0.0001),
        msgspec.structs.replace(parties, palms_max=round(1.2 * parties.palms_max)),
        msgspec.structs.replace(parties, fpir=parties.fpir / 1.2),
    ):
        with pytest.raises(ConfigError, match="too low"):
            require_gallery(open_model().curve, changed)


def test_more_palms_than_the_curve_supports_are_refused_at_any_threshold(parties: Parties) -> None:
    curve = open_model().curve
    too_many = curve.palms_max(fpir=parties.fpir) + 1

    with pytest.raises(ConfigError, match="supports"):
        require_gallery(curve, msgspec.structs.replace(parties, threshold=0.99, palms_max=too_many))


def test_the_threshold_of_a_held_key_is_what_the_curve_gives() -> None:
    """
    Stricter for a rarer error, never below the curve and its margin, and none beyond what the curve supports.
    """
    curve = open_model().curve
    rates = [1e-3, 1e-4, 1e-5]
    thresholds = [held_threshold(curve, held_fmr=rate) for rate in rates]

    assert thresholds == [round(curve.score_at(rate) + curve.margin, 4) for rate in rates] == sorted(thresholds)
    with pytest.raises(ConfigError, match="supports"):
        held_threshold(curve, held_fmr=curve.rate_min / 2)
