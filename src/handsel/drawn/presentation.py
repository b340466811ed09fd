"""
Draw what is presented to a till's camera over a few frames: a real hand, or a flat copy of one.

Both are taken by the same cameras in the same rooms, with the same motion, and lit by the till's own screen.

LIMITATIONS
* Exposure and white balance hold still for the second that it takes; a real camera may follow the till's light.
* Nobody's fingers hold a copy; nothing is drawn of glossy paper, gloves and three-dimensional copies.
* A copy is of a photograph in full view, taken with care: the attacker's good case, though not the best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import cv2
import numpy as np

from handsel.drawn.backdrop import draw_backdrop
from handsel.drawn.canvas import ByteArray, FloatArray, blurred
from handsel.drawn.copy_of_hand import CopyOfHand, Illumination, Instrument, draw_copy, see_copy
from handsel.drawn.hand import Sheet, draw_hand
from handsel.drawn.lattice import Plane
from handsel.drawn.person import FRAME_HEIGHT, FRAME_WIDTH, DrawnPerson
from handsel.drawn.picture import from_sheet, paint, place, sleeve_sheet
from handsel.drawn.sensor import Sensor, draw_sensor, exposure, taken, to_light
from handsel.drawn.shot import Light, Pose, Shot, Surroundings
from handsel.drawn.solid import NEAR_MM, SolidHand, distance_of, draw_solid, rays_of, see_solid
from handsel.drawn.sway import FRAMES, Sway, draw_sway
from handsel.errors import ensure

Colour = tuple[float, float, float]
SHOWN = ((1.0, 1.0, 1.0),) * FRAMES  # The till's page as it is, bright and plain.
_SEED = 20
_PHOTO_WIDTH, _PHOTO_HEIGHT = 1280, 960
_TILL_LIGHT = (
    0.12,
    0.35,
)  # Of the room's light: a screen of 300 cd/m² and 0.06 m² gives 110 lx at 0.4 m; a shop has 300 to 900.
_BEHIND = 0.05  # What of it reaches what is behind the hand, one to two metres away.
_STAND_SWAY = 0.03


@dataclass(frozen=True)
class Presentation:
    """
    What the camera took, uint8 (H, W, 3) RGB, `FRAMES` of them, and the colour of the till's screen in each.
    """

    frames: tuple[ByteArray, ...] = field(repr=False)
    till_colours: tuple[Colour, ...]


@dataclass(frozen=True)
class _Room:
    """
    Where it happens: what is behind as it is stored, (H, W, 3), the lamp, the camera, how strong the till's light is.
    """

    behind: FloatArray
    lamp: Light
    sensor: Sensor
    till_light: float

    def light(self, colour: Colour) -> Illumination:
        warm = np.array(self.lamp.colour, np.float32) ** np.float32(2.2)
        return Illumination(warm, np.array(colour, np.float32) * np.float32(self.till_light))


def draw_real(seed: int, *, till_colours: tuple[Colour, ...] = SHOWN) -> Presentation:
    """
    Return a real hand, presented.
    """
    person, shot, rng = _drawn(seed)
    room = _room(rng, shot)
    solid = draw_solid(person.look, shot, rng)
    sway = draw_sway(rng, shot.pose)
    sleeve = sleeve_sheet(rng)

    def seen(i: int) -> FloatArray:
        return _real_frame(solid, sleeve, room, sway, i, till_colours[i], is_right=person.is_right_handed)

    return _film(seen, room, till_colours, rng)


def draw_attack(seed: int, instrument: Instrument, *, till_colours: tuple[Colour, ...] = SHOWN) -> Presentation:
    """
    Return a copy of a drawn person's hand, presented with `instrument`.
    """
    photo, outline, length_px = _photo(seed)
    return present_photo(photo, outline, instrument, length_px=length_px, seed=seed, till_colours=till_colours)


def present_photo(
    photo: ByteArray,
    outline: FloatArray,
    instrument: Instrument,
    *,
    length_px: float,
    seed: int,
    till_colours: tuple[Colour, ...] = SHOWN,
) -> Presentation:
    """
    Return any photograph of a hand, `length_px` long and about in its middle, presented with `instrument`.
    """
    rng = np.random.default_rng([_SEED, seed, list(Instrument).index(instrument)])
    shot = DrawnPerson(seed).shot(int(rng.integers(1000)))
    room = _room(rng, shot)
    copy = draw_copy(photo, outline, instrument, length_px=length_px, rng=rng)
    is_close = instrument is Instrument.CLOSE_SCREEN
    held = replace(shot.pose, length=float(rng.uniform(0.85, 1.0)), y=0.5) if is_close else shot.pose
    on_stand = instrument in {Instrument.MONITOR, Instrument.CLOSE_SCREEN}
    sway = draw_sway(rng, held, amount=_STAND_SWAY if on_stand else None)
    bends = _bends(rng) if instrument is Instrument.BENT_PRINT else (0.0,) * FRAMES

    def seen(i: int) -> FloatArray:
        return _copy_frame(copy, room, sway.poses[i], bends[i], till_colours[i], rng)

    return _film(seen, room, till_colours, rng)


def _drawn(seed: int) -> tuple[DrawnPerson, Shot, np.random.Generator]:
    rng = np.random.default_rng([_SEED, seed])
    person = DrawnPerson(seed)
    return person, person.shot(int(rng.integers(1000))), rng


def _room(rng: np.random.Generator, shot: Shot) -> _Room:
    kinds = tuple(Surroundings)
    kind = kinds[int(rng.integers(len(kinds)))]
    behind = draw_backdrop(rng, kind, width=FRAME_WIDTH, height=FRAME_HEIGHT)
    return _Room(behind, shot.light, draw_sensor(rng), float(rng.uniform(*_TILL_LIGHT)))


def _film(
    seen: Callable[[int], FloatArray], room: _Room, till_colours: tuple[Colour, ...], rng: np.random.Generator
) -> Presentation:
    """
    Take all frames with the exposure that the first one asks for.
    """
    ensure(len(till_colours) == FRAMES, "the till shows one colour for each frame")
    first = seen(0)
    gain = exposure(first, room.sensor)
    lights = (first, *(seen(i) for i in range(1, FRAMES)))
    return Presentation(tuple(taken(light, room.sensor, gain, rng) for light in lights), till_colours)


def _real_frame(
    solid: SolidHand, sleeve: Sheet, room: _Room, sway: Sway, number: int, colour: Colour, *, is_right: bool
) -> FloatArray:
    pose = sway.poses[number]
    behind = room.behind.copy()
    paint(behind, sleeve, place(pose, is_right=is_right, width=FRAME_WIDTH, height=FRAME_HEIGHT))
    hand = see_solid(
        solid, pose, sway.flex_deg[number], sway.fan_deg[number],
        is_right=is_right, width=FRAME_WIDTH, height=FRAME_HEIGHT,
    )  # fmt: skip
    light = room.light(colour)
    in_room = hand.in_room * (light.room * np.float32(_facing(pose, room.lamp)))
    return blurred(_laid(behind, in_room + hand.in_front * light.till, hand.cover, light), room.sensor.blur_px)


def _copy_frame(
    copy: CopyOfHand, room: _Room, pose: Pose, bend: float, colour: Colour, rng: np.random.Generator
) -> FloatArray:
    light = room.light(colour)
    nearness = np.float32((NEAR_MM / distance_of(pose)) ** 2)
    plane = _plane(pose, bend)
    facing = _facing(pose, room.lamp)
    seen = see_copy(copy, plane, replace(light, till=light.till * nearness), sensor=room.sensor, facing=facing, rng=rng)
    return _laid(blurred(room.behind, room.sensor.blur_px), seen.light, seen.cover, light)


def _laid(behind: FloatArray, light: FloatArray, cover: FloatArray, lamps: Illumination) -> FloatArray:
    """
    Return `light` before what is behind it.
    """
    back = to_light(np.clip(behind, 0, 255)) * (lamps.room + np.float32(_BEHIND) * lamps.till)
    return np.asarray(back + (light - back) * cover[..., None], np.float32)


def _facing(pose: Pose, lamp: Light) -> float:
    """
    Return how much of the room's light falls on something flat in `pose`, beside one that faces the camera.
    """
    tilt_x, tilt_y = np.sin(np.deg2rad([pose.roll_deg, pose.pitch_deg]))
    around, above = np.deg2rad([lamp.around_deg, lamp.above_deg])
    from_lamp = max(0.0, 1 - (tilt_x * np.cos(around) + tilt_y * np.sin(around)) / np.tan(above))
    return float(lamp.softness + (1 - lamp.softness) * from_lamp)


def _plane(pose: Pose, bend: float) -> Plane:
    """
    Return where each pixel looks on a sheet that is bent about its middle line: `bend` is 1 / radius in 1/mm.
    """
    camera, ray_x, ray_y = rays_of(pose, is_right=False, width=FRAME_WIDTH, height=FRAME_HEIGHT)
    x, y = camera[0] - ray_x * camera[2], camera[1] - ray_y * camera[2]
    for _ in range(4 if bend else 0):
        reach = -np.clip(np.float32(bend / 2) * x * x, -60, 60) - camera[2]
        x, y = camera[0] + ray_x * reach, camera[1] + ray_y * reach
    return Plane(x.astype(np.float32), y.astype(np.float32))


def _bends(rng: np.random.Generator) -> tuple[float, ...]:
    """
    Return how a sheet is bent in each frame: by radii of 250 mm and more.
    """
    return tuple((rng.uniform(-1, 1) * 0.002 + rng.uniform(-1, 1, FRAMES) * 0.002).tolist())


@lru_cache(maxsize=1)
def _photo(seed: int) -> tuple[ByteArray, FloatArray, float]:
    """
    Return the photograph that an attacker has, its outline and the hand's length in it; the last one is kept.
    """
    person, shot, _ = _drawn(seed)
    photo = person.frame_of(shot, width=_PHOTO_WIDTH, height=_PHOTO_HEIGHT)
    return photo, _outline(person, shot), shot.pose.length * _PHOTO_HEIGHT


def _outline(person: DrawnPerson, shot: Shot) -> FloatArray:
    """
    Return how much of each pixel of the photograph the hand covers, (h, w).
    """
    hand = draw_hand(person.look, shot, px_per_mm=1.5)
    to_photo = place(shot.pose, is_right=person.is_right_handed, width=_PHOTO_WIDTH, height=_PHOTO_HEIGHT)
    size = (_PHOTO_WIDTH, _PHOTO_HEIGHT)
    return np.asarray(cv2.warpPerspective(hand.cover, from_sheet(hand, to_photo), size), np.float32)
