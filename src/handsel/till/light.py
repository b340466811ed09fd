"""
Hold the colours that a till's page can show while a hand is looked at, and choose the next one by chance.

They are nearly equally bright, so that no change is a flash, and far from a saturated red (WCAG 2.2, 2.3.1); any two
are different enough for `vision/lamp_answer.py` to see an answer in two frames. The page paints them by name, in
`web/static/till.css`; the agent knows what was asked for, and only the page what was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from handsel.config import AttackHintSetting

Linear = tuple[float, float, float]


class Light(StrEnum):
    """
    Name a colour of the screen.
    """

    AMBER = "amber"
    SKY = "sky"
    PINK = "pink"

    @property
    def rgb(self) -> tuple[int, int, int]:
        """
        Return the colour as a page writes it: sRGB, 0 to 255.
        """
        return _RGB[self]

    @property
    def linear(self) -> Linear:
        """
        Return the light that the screen gives, by channel, linear from 0 to 1.
        """
        red, green, blue = self.rgb
        return _to_linear(red), _to_linear(green), _to_linear(blue)


_RGB = {Light.AMBER: (255, 203, 0), Light.SKY: (0, 229, 255), Light.PINK: (255, 187, 255)}


def lights_of(attack_hint: AttackHintSetting, *, light_challenge: bool) -> tuple[Light, ...]:
    """
    Return the lights that a till with these settings shows: none where no answer would be looked for.
    """
    return tuple(Light) if light_challenge and attack_hint is not AttackHintSetting.OFF else ()


def next_light(
    lights: tuple[Light, ...], *, last: Light | None, kept: Linear | None, random_bytes: Callable[[int], bytes]
) -> Light | None:
    """
    Return the light for the next frame by chance; None where there are no `lights`.

    It is neither the `last` one nor that of the last reading that was `kept`, so that two good frames hold a change,
    also where a bad one came between.
    """
    left = [each for each in lights if each is not last and each.linear != kept]
    return left[random_bytes(1)[0] % len(left)] if left else None


def _to_linear(value: int) -> float:
    """
    Undo the curve of sRGB. Source: IEC 61966-2-1; WCAG 2.2, "relative luminance".
    """
    stored = value / 255
    return stored / 12.92 if stored <= 0.04045 else float(((stored + 0.055) / 1.055) ** 2.4)
