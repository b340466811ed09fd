"""
Draw flat copies of a hand, a photograph of it on a screen or on paper, as a camera sees them.

What is assumed of screens and prints stands beside each number: data sheets and rules of thumb, not measured devices.
Light is linear, and 1 is white paper in the light of the room. Lengths are millimetres of the hand that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray, blurred
from handsel.drawn.lattice import Plane, Wave, dot_waves, screen_waves, seen_waves
from handsel.drawn.picture import HAND_LENGTH_MM, HAND_MIDDLE_MM
from handsel.drawn.sensor import Sensor, to_light

_GLASS = 0.03  # What a screen gives back of the light on it; 4 % at one surface of glass, 1 % with a coating.
_PAPER, _INK = 0.88, 0.06  # What white paper and solid ink give back.
_MIXING = 0.09  # Inks are no pure filters: what a channel takes of each of the others.
_ANGLES_DEG = (15.0, 75.0, 0.0)  # Cyan, magenta and yellow, as offset presses turn them.
_BLACK_ANGLE_DEG = 45.0
_GRAIN = 0.035  # Of an inkjet's scattered dots, at half coverage, at 0.35 mm a pixel.
_INCH_MM = 25.4


class Instrument(StrEnum):
    """
    Say with what a hand is copied.
    """

    MONITOR = "monitor"
    TABLET = "tablet"
    PHONE = "phone"
    CLOSE_SCREEN = "close_screen"  # Larger than life: neither edge nor surroundings are seen.
    COLOUR_PRINT = "colour_print"  # Dots in rows, as of a laser printer or a press.
    INKJET_PRINT = "inkjet_print"  # Scattered dots.
    LASER_PRINT = "laser_print"  # Black only.
    CUT_OUT = "cut_out"  # An inkjet print in the shape of a hand.
    BENT_PRINT = "bent_print"  # An inkjet print that its holder bends.

    @property
    def is_screen(self) -> bool:
        """
        Say whether it shines by itself.
        """
        return self in {Instrument.MONITOR, Instrument.TABLET, Instrument.PHONE, Instrument.CLOSE_SCREEN}


# Of screens: pitch of pixels and length of the hand shown, both in true millimetres, from common sizes and resolutions.
_SCREENS = {
    Instrument.MONITOR: ((0.23, 0.28), (150.0, 200.0)),
    Instrument.TABLET: ((0.096, 0.12), (120.0, 170.0)),
    Instrument.PHONE: ((0.053, 0.075), (95.0, 135.0)),
    Instrument.CLOSE_SCREEN: ((0.23, 0.31), (230.0, 330.0)),
}
_RULINGS = {Instrument.COLOUR_PRINT: (133.0, 190.0), Instrument.LASER_PRINT: (85.0, 141.0)}  # Lines an inch.


@dataclass(frozen=True)
class CopyOfHand:
    """
    A photograph, light float32 (h, w, 3), with the waves of its dots or pixels in each channel, on a thing with a rim.

    `shape` (h, w) is what was not cut away. `shine` is a screen's white, `band` the strength and rows of its flicker,
    `grain` (h, w) what scattered dots add or take.
    """

    instrument: Instrument
    light: FloatArray
    shape: FloatArray
    px_per_mm: float
    waves: tuple[tuple[Wave, ...], ...]
    rim_mm: float
    rim: float
    shine: FloatArray
    band: tuple[float, float]
    grain: FloatArray


@dataclass(frozen=True)
class Illumination:
    """
    Light of the room, (3,), and of the till where a hand is held, (3,); 1 is the room's.
    """

    room: FloatArray
    till: FloatArray


@dataclass(frozen=True)
class SeenCopy:
    """
    What the camera sees of a copy: light, linear (H, W, 3), through its lens already, and how much it covers (H, W).
    """

    light: FloatArray
    cover: FloatArray


def draw_copy(
    photo: ByteArray, outline: FloatArray, instrument: Instrument, *, length_px: float, rng: np.random.Generator
) -> CopyOfHand:
    """
    Return `photo` of a hand that is `length_px` long, copied; `outline` (h, w) is what a pair of scissors would leave.
    """
    u = rng.uniform
    light = to_light(photo)
    shine, band, true_mm = np.ones(3, np.float32), (0.0, 100.0), float(u(150, 200))
    if instrument.is_screen:
        pitch, lengths = _SCREENS[instrument]
        true_mm = float(u(*lengths))
        waves = _screen(rng, float(u(*pitch)) * HAND_LENGTH_MM / true_mm, is_diamond=instrument is Instrument.PHONE)
        # White of 6,500 to 9,000 K where the camera is used to the room; from half to twice as bright as paper.
        shine = (u(0.5, 2.0) * np.array([u(0.85, 1.0), 1.0, u(1.0, 1.2)])).astype(np.float32)
        band = (float(u(0, 0.05)), float(u(60, 400)))  # Rolling shutter against a backlight that is dimmed by pulses.
    else:
        light = _inked(light, is_black=instrument is Instrument.LASER_PRINT)
        waves = _dots(rng, instrument, HAND_LENGTH_MM / true_mm)
    grain = 0.0 if instrument.is_screen or instrument in _RULINGS else 2 * _GRAIN * float(u(0.3, 1.0))
    return CopyOfHand(
        instrument=instrument,
        light=light,
        shape=outline if instrument is Instrument.CUT_OUT else np.ones_like(outline),
        px_per_mm=length_px / HAND_LENGTH_MM,
        waves=waves,
        rim_mm=float(u(3, 12)),
        rim=0.03 if instrument.is_screen else _PAPER,
        shine=shine,
        band=band,
        grain=rng.standard_normal(outline.shape, dtype=np.float32) * np.float32(grain),
    )


def _screen(rng: np.random.Generator, pitch_mm: float, *, is_diamond: bool) -> tuple[tuple[Wave, ...], ...]:
    del rng
    return tuple(screen_waves(pitch_mm=pitch_mm, channel=channel, is_diamond=is_diamond) for channel in range(3))


def _dots(rng: np.random.Generator, instrument: Instrument, scale: float) -> tuple[tuple[Wave, ...], ...]:
    if instrument not in _RULINGS:
        return ((), (), ())
    pitch_mm = _INCH_MM / float(rng.uniform(*_RULINGS[instrument])) * scale
    angles = (_BLACK_ANGLE_DEG,) * 3 if instrument is Instrument.LASER_PRINT else _ANGLES_DEG
    return tuple(dot_waves(pitch_mm=pitch_mm, angle_deg=angle) for angle in angles)


def _inked(light: FloatArray, *, is_black: bool) -> FloatArray:
    """
    Return what a print gives back: paler blacks, greyer whites, less colour, or none.
    """
    mixed = light @ np.array([0.3, 0.59, 0.11], np.float32) if is_black else None
    if mixed is not None:
        coloured = np.repeat(mixed[..., None], 3, axis=2)
    else:
        coloured = light @ (np.eye(3) * (1 - 3 * _MIXING) + _MIXING).astype(np.float32)
    return np.asarray(_PAPER * (_INK + (1 - _INK) * coloured), np.float32)


def see_copy(
    copy: CopyOfHand, plane: Plane, light: Illumination, *, sensor: Sensor, facing: float, rng: np.random.Generator
) -> SeenCopy:
    """
    Return what the camera sees of `copy`, each pixel looking where `plane` says; `facing` is how it turns to the lamp.
    """
    columns = (plane.x - np.float32(HAND_MIDDLE_MM[0])) * np.float32(copy.px_per_mm) + np.float32(
        copy.light.shape[1] / 2
    )
    rows = (plane.y - np.float32(HAND_MIDDLE_MM[1])) * np.float32(copy.px_per_mm) + np.float32(copy.light.shape[0] / 2)
    shown = _remapped(copy.light, columns, rows)
    inside = _inside(copy.light.shape, columns, rows, 0.0)[..., None]
    rim = _inside(copy.light.shape, columns, rows, copy.rim_mm * copy.px_per_mm)
    surface = blurred(shown * inside + np.float32(copy.rim) * (1 - inside), sensor.blur_px)
    seen = cv2.merge([seen_waves(plane, waves, blur_px=sensor.blur_px, fill=sensor.fill) for waves in copy.waves])
    if copy.instrument.is_screen:
        row = np.arange(len(seen), dtype=np.float32)[:, None, None] / np.float32(copy.band[1]) + rng.uniform()
        flicker = 1 + np.float32(copy.band[0]) * np.cos(np.float32(2 * np.pi) * row)
        shone = surface * inside * (1 + seen) * copy.shine * flicker
        return SeenCopy((shone + np.float32(_GLASS) * (light.room + light.till)).astype(np.float32), rim)
    share = np.clip(1 - surface / np.float32(_PAPER), 0, 1)  # Covered with ink.
    grain = _remapped(copy.grain, columns, rows)[..., None]
    uneven = np.float32(_PAPER) * np.sin(np.float32(np.pi) * share) * (seen + grain)
    back = np.clip(surface - uneven * inside, 0, 1) * (light.room * np.float32(facing) + light.till)
    cover = rim if copy.instrument is not Instrument.CUT_OUT else _remapped(copy.shape, columns, rows) * inside[..., 0]
    return SeenCopy(back.astype(np.float32), np.asarray(cover, np.float32))


def _remapped(layer: FloatArray, columns: FloatArray, rows: FloatArray) -> FloatArray:
    return np.asarray(cv2.remap(layer, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _inside(shape: tuple[int, ...], columns: FloatArray, rows: FloatArray, rim_px: float) -> FloatArray:
    height, width = shape[:2]
    depth = np.minimum(np.minimum(columns, width - columns), np.minimum(rows, height - rows)) + np.float32(rim_px)
    return np.clip(depth, 0, 1).astype(np.float32)
