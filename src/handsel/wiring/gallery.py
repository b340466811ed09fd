"""
Check that the settings are what the model's curve supports: a gallery, and the one comparison of a held key. The
matchers cannot: they know no model.
"""

from __future__ import annotations

from handsel.config import Parties
from handsel.curve import GalleryPlan, ImpostorCurve, require_plan
from handsel.errors import ConfigError


def require_gallery(curve: ImpostorCurve, parties: Parties) -> GalleryPlan:
    """
    Return the plan of the gallery in `parties`, with the threshold that it has there.

    Raises `ConfigError` where the curve does not support so many palms, or needs a higher threshold for them.
    """
    plan = require_plan(curve, palms=parties.palms_max, fpir=parties.fpir)
    if parties.threshold < plan.threshold:
        raise ConfigError(
            f"the threshold {parties.threshold:.4f} is too low for {plan.palms} palms at an FPIR of {plan.fpir:g}: "
            f"this model needs {plan.threshold:.4f}, in the settings of all parties"
        )
    return GalleryPlan(plan.palms, plan.fpir, plan.rate, parties.threshold)


def held_threshold(curve: ImpostorCurve, *, held_fmr: float) -> float:
    """
    Return the cosine from which a palm is the one that a card was made with.

    One row is compared: the rate of a search among one is that of the comparison itself. Raises `ConfigError` where the
    curve does not support so rare an error.
    """
    return require_plan(curve, palms=1, fpir=held_fmr).threshold
