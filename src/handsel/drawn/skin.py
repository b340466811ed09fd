"""
Hold the colours of skin, from very light to very dark, and of what a palm's skin shows: creases, warm and pale places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handsel.drawn.canvas import FloatArray
from handsel.drawn.who import Style

_SEED_SKIN = 4
_SEED_OTHER_SKIN = 17
# The other painter's palms: a pale ground, and what melanin and blood take from red, green and blue. Set by eye.
_GROUND = (250.0, 222.0, 200.0)
_MELANIN, _BLOOD = (0.62, 0.95, 1.15), (0.06, 0.3, 0.28)
# Palms by tone, 0 very light to 1 very dark, RGB, set by eye. A palm is lighter than the back of the same hand.
_PALM_TONES = (
    (243, 206, 187), (238, 195, 173), (230, 183, 157), (220, 170, 143), (208, 156, 129), (194, 141, 115),
    (178, 126, 101), (160, 111, 88), (143, 99, 78), (125, 86, 68),
)  # fmt: skip


@dataclass(frozen=True)
class Skin:
    """
    One person's skin: `tone` 0 (very light) to 1 (very dark), colour of palm and arm in RGB, `warmth` of red places.
    """

    tone: float
    palm: FloatArray  # (3,)
    arm: FloatArray  # (3,)
    warmth: float
    crease_contrast: float


def draw_skin(seed: int, *, style: Style = Style.PLAIN) -> Skin:
    """
    Return the skin of the person of `seed`; all tones are equally frequent.
    """
    if style is Style.OTHER:
        return _absorbing_skin(seed)
    rng = np.random.default_rng([_SEED_SKIN, seed])
    tone = float(rng.uniform(0, 1))
    steps = np.linspace(0, 1, len(_PALM_TONES))
    palm = np.array([np.interp(tone, steps, channel) for channel in zip(*_PALM_TONES, strict=True)])
    palm = palm * (1 + np.clip(rng.normal(0, 0.015, 3), -0.03, 0.03))
    arm = palm * (1 - 0.05 - 0.35 * tone)
    return Skin(
        tone=tone,
        palm=palm.astype(np.float32),
        arm=arm.astype(np.float32),
        warmth=float(rng.uniform(0.4, 1.0)),
        crease_contrast=float(rng.uniform(0.85, 1.15)) * (1 + 0.25 * tone),
    )


def _absorbing_skin(seed: int) -> Skin:
    """
    Return the other painter's skin: colour by what melanin and blood take from the light.
    """
    rng = np.random.default_rng([_SEED_OTHER_SKIN, seed])
    tone, blood = float(rng.uniform(0, 1)), rng.uniform(0.1, 0.8)
    taken = np.outer((0.9 * tone, 0.9 * tone + 0.15), _MELANIN) + blood * np.array(_BLOOD)
    palm, arm = np.array(_GROUND) * np.exp(-taken)
    return Skin(
        tone=tone,
        palm=palm.astype(np.float32),
        arm=(arm * (1 - 0.3 * tone)).astype(np.float32),
        warmth=float(rng.uniform(0.2, 1.6)),
        crease_contrast=float(rng.uniform(0.9, 1.25)),
    )
