"""
Pose batches of hands that belong to nobody: 21 joints in space, and the capsules that give them flesh.

Lengths are millimetres. The origin is the middle of the wrist, x goes to the little finger's side, y away from the
fingers, z out of the palm: the palm of a left hand, fingers up, before the camera. Proportions are of textbook anatomy
or were set by eye; none was measured on a person. Joints are numbered as in `handsel.vision.hand`.

Everything is a batch of tensors on one device, from one generator: the same seed gives the same hands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FINGERS = 4
KNUCKLES = ((-27.0, -83.0, 0.0), (-7.0, -87.0, -2.0), (12.0, -83.0, -2.0), (29.0, -73.0, 0.0))
BONES = ((43.0, 25.0, 21.0), (47.0, 29.0, 22.0), (44.0, 27.0, 22.0), (34.0, 20.0, 19.0))
DIRECTIONS_DEG = (-6.0, -1.0, 4.5, 12.0)
FINGER_RADII = ((10.5, 9.2, 8.3, 6.9), (10.8, 9.5, 8.5, 7.0), (10.3, 8.9, 8.0, 6.6), (9.0, 7.6, 6.8, 5.7))
THUMB_ROOT = (-23.0, -17.0, 5.0)
THUMB_BONES = (43.0, 33.0, 27.0)
THUMB_RADII = (16.0, 12.0, 10.5, 8.4)

# Capsules of flesh that no joint moves: start, end (x, y, z), radii.
FLESH = (
    ((-14.0, -13.0, 3.0), (-27.0, -52.0, 4.0), 16.0, 12.0),  # The mount of the thumb.
    ((21.0, -12.0, 1.0), (31.0, -56.0, 1.0), 15.0, 12.0),  # The edge below the little finger.
    ((0.0, -18.0, -2.0), (-4.0, -66.0, -2.0), 14.0, 14.0),  # The hollow of the hand.
    ((-11.0, 4.0, -2.0), (-16.0, 150.0, -2.0), 17.5, 24.0),  # The forearm, as two.
    ((11.0, 4.0, -2.0), (16.0, 150.0, -2.0), 17.5, 24.0),
)
SLEEVE = (((-13.0, 0.0, -2.0), (-20.0, 160.0, -2.0), 26.0, 33.0), ((13.0, 0.0, -2.0), (20.0, 160.0, -2.0), 26.0, 33.0))
CUFF_MM = (12.0, 95.0)

# What a capsule is: the painter colours by it.
PALM, FINGER_1, FINGER_2, FINGER_3, THUMB_1, THUMB_2, THUMB_3, ARM, CLOTH = range(9)
SOFT_MM, HARD_MM = 7.0, 1.2  # How far the flesh of the palm flows together, and that of two fingers.


@dataclass(frozen=True)
class Capsules:
    """
    Hold K tapered capsules for each of B hands: ends (B, K, 3), radii (B, K, 2); kinds and blends for all hands (K,).
    """

    start: Tensor
    end: Tensor
    radii: Tensor
    kinds: tuple[int, ...]
    blends_mm: tuple[float, ...]


@dataclass(frozen=True)
class Skeletons:
    """
    Hold B hands as they are held: joints (B, 21, 3), their capsules, `is_fist` (B,) and `has_sleeve` (B,).
    """

    joints: Tensor
    capsules: Capsules
    is_fist: Tensor
    has_sleeve: Tensor


class Dice:
    """
    Draw random numbers for a batch, on its device, from its generator.
    """

    def __init__(self, count: int, *, generator: torch.Generator) -> None:
        """
        Draw for `count` hands.
        """
        self.count = count
        self.generator = generator
        self.device = generator.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """
        Return uniform numbers (B, *shape).
        """
        noise = torch.rand((self.count, *shape), generator=self.generator, device=self.device)
        return low + (high - low) * noise

    def normal(self, mean: float, deviation: float, *shape: int, within: float = 3.0) -> Tensor:
        """
        Return normal numbers (B, *shape), clipped `within` so many deviations.
        """
        noise = torch.randn((self.count, *shape), generator=self.generator, device=self.device)
        return mean + deviation * noise.clamp(-within, within)

    def chance(self, share: float, *shape: int) -> Tensor:
        """
        Return what is true for `share` of the batch, bool (B, *shape).
        """
        return torch.rand((self.count, *shape), generator=self.generator, device=self.device) < share


def pose_hands(dice: Dice) -> Skeletons:
    """
    Return a batch of hands: most of them open, some half closed, one in ten a fist.
    """
    is_fist = dice.chance(0.1)
    joints, widths = _pose_joints(dice, is_fist)
    has_sleeve = dice.chance(0.4)
    capsules = _flesh(dice, joints, widths=widths, has_sleeve=has_sleeve)
    return Skeletons(joints=joints, capsules=capsules, is_fist=is_fist, has_sleeve=has_sleeve)


def _pose_joints(dice: Dice, is_fist: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return the joints (B, 21, 3) and how stout each hand is (B,).
    """
    device, count = dice.device, dice.count
    stout = dice.normal(1, 0.08)
    width = dice.normal(1, 0.06)
    joints = torch.zeros(count, 21, 3, device=device)
    roots = torch.tensor(KNUCKLES, device=device).expand(count, -1, -1).clone()
    roots[..., 0] *= width[:, None]
    roots[..., :2] += dice.normal(0, 1.3, FINGERS, 2)
    cup = dice.uniform(-2, 9)
    roots[:, 0, 2] += cup * 0.5
    roots[:, 3, 2] += cup
    _pose_fingers(dice, joints, roots=roots, is_fist=is_fist)
    _pose_thumb(dice, joints, width=width, is_fist=is_fist)
    joints[:, 0] = dice.normal(0, 1.0, 3)
    return joints, stout * (0.5 + 0.5 * width)


def _pose_fingers(dice: Dice, joints: Tensor, *, roots: Tensor, is_fist: Tensor) -> None:
    bones = (
        torch.tensor(BONES, device=dice.device)[None] * dice.normal(1, 0.05, 1, 1) * dice.normal(1, 0.03, FINGERS, 1)
    )
    spread = dice.uniform(0.1, 2.1, 1)
    directions = torch.tensor(DIRECTIONS_DEG, device=dice.device)[None] * spread + dice.normal(0, 2.5, FINGERS)
    curl = torch.where(dice.chance(0.2), dice.uniform(15, 60), dice.normal(6, 7)).clamp(-14, 60)[:, None]
    flexion = torch.stack(
        (
            curl * 0.5 + dice.normal(0, 5, FINGERS),
            curl * 0.9 + dice.normal(3, 6, FINGERS),
            curl * 0.5 + dice.normal(3, 4, FINGERS),
        ),
        dim=-1,
    )  # (B, 4, 3)
    closed = torch.stack(
        (dice.uniform(65, 90, FINGERS), dice.uniform(85, 110, FINGERS), dice.uniform(40, 75, FINGERS)), -1
    )
    flexion = torch.where(is_fist[:, None, None], closed, flexion)
    ahead = torch.deg2rad(directions)
    flat = torch.stack((torch.sin(ahead), -torch.cos(ahead), torch.zeros_like(ahead)), dim=-1)  # (B, 4, 3)
    up = torch.tensor((0.0, 0.0, 1.0), device=dice.device)
    place, angle = roots, torch.zeros_like(ahead)
    for bone in range(4):
        joints[:, 5 + bone : 21 : 4] = place
        if bone < 3:
            angle = angle + torch.deg2rad(flexion[..., bone])
            step = flat * torch.cos(angle)[..., None] + up * torch.sin(angle)[..., None]
            place = place + step * bones[..., bone, None]


def _pose_thumb(dice: Dice, joints: Tensor, *, width: Tensor, is_fist: Tensor) -> None:
    bones = torch.tensor(THUMB_BONES, device=dice.device)[None] * dice.normal(1, 0.05, 1)
    opening = torch.where(is_fist, dice.uniform(5, 25), dice.uniform(18, 66))
    rise = torch.where(is_fist, dice.uniform(25, 50), dice.normal(14, 12))
    place = torch.tensor(THUMB_ROOT, device=dice.device) * torch.stack((width, width * 0 + 1, width * 0 + 1), -1)
    turns = torch.stack((dice.uniform(-4, 4), dice.uniform(-4, 24), dice.uniform(-26, 30)), dim=-1)
    turns = torch.where(
        is_fist[:, None], torch.stack((opening * 0, dice.uniform(20, 45), dice.uniform(20, 60)), -1), turns
    )
    heading = opening
    for bone in range(4):
        joints[:, 1 + bone] = place
        if bone < 3:
            heading = heading - turns[:, bone]
            out, lift = torch.deg2rad(heading), torch.deg2rad(rise * (1.0, 0.7, 0.5)[bone])
            step = torch.stack(
                (-torch.sin(out) * torch.cos(lift), -torch.cos(out) * torch.cos(lift), torch.sin(lift)), -1
            )
            place = place + step * bones[:, bone, None]


class _Body:
    """
    Collect capsules.
    """

    def __init__(self) -> None:
        self.starts: list[Tensor] = []
        self.ends: list[Tensor] = []
        self.radii: list[tuple[float, float]] = []
        self.kinds: list[int] = []
        self.blends: list[float] = []

    def add(self, start: Tensor, end: Tensor, *, thick: float, thin: float, kind: int, blend_mm: float) -> None:
        """
        Add one capsule to every hand: ends (B, 3), radii in mm.
        """
        self.starts.append(start)
        self.ends.append(end)
        self.radii.append((thick, thin))
        self.kinds.append(kind)
        self.blends.append(blend_mm)


def _flesh(dice: Dice, joints: Tensor, *, widths: Tensor, has_sleeve: Tensor) -> Capsules:
    body = _Body()
    for first, last, thick, thin in FLESH:
        start, end = (torch.tensor(point, device=dice.device).expand(dice.count, 3) for point in (first, last))
        body.add(start, end, thick=thick, thin=thin, kind=ARM if first[1] > 0 else PALM, blend_mm=SOFT_MM)
    _add_palm(body, joints)
    _add_fingers(body, joints)
    _add_sleeve(body, dice, has_sleeve)
    sizes_mm = torch.tensor(body.radii, device=dice.device)[None] * widths[:, None, None]
    sizes_mm = sizes_mm * dice.normal(1, 0.03, len(body.radii), 1)
    ends = torch.stack(body.starts, 1), torch.stack(body.ends, 1)
    return Capsules(*ends, sizes_mm, tuple(body.kinds), tuple(body.blends))


def _add_palm(body: _Body, joints: Tensor) -> None:
    """
    Add the bones of the palm, and the skin between them and to the thumb.
    """
    forward = torch.tensor((0.0, -13.0, 0.0), device=joints.device)
    towards_wrist = torch.tensor((0.55, 0.16, 1.0), device=joints.device)
    for finger in range(FINGERS):
        knuckle = joints[:, 5 + 4 * finger]
        body.add(knuckle * towards_wrist, knuckle, thick=13.0, thin=11.5, kind=PALM, blend_mm=SOFT_MM)
        if finger < FINGERS - 1:
            beside = joints[:, 9 + 4 * finger] + forward
            body.add(knuckle + forward, beside, thick=8.5, thin=8.5, kind=PALM, blend_mm=4.0)
    web = joints[:, 1] * 0.5 + joints[:, 5] * 0.5, joints[:, 2] * 0.7 + joints[:, 5] * 0.3
    body.add(*web, thick=9.0, thin=6.0, kind=PALM, blend_mm=SOFT_MM)


def _add_fingers(body: _Body, joints: Tensor) -> None:
    """
    Add the thumb, then index to little finger, root to tip.
    """
    thumb = (1, THUMB_RADII, (THUMB_1, THUMB_2, THUMB_3))
    others = [(5 + 4 * finger, FINGER_RADII[finger], (FINGER_1, FINGER_2, FINGER_3)) for finger in range(FINGERS)]
    for root, radii, kinds in (thumb, *others):
        for bone, kind in enumerate(kinds):
            start, end = joints[:, root + bone], joints[:, root + bone + 1]
            if bone == 2:
                end = _short_of_tip(start, end, radii[3] if kind == THUMB_3 else radii[2])
            blend = SOFT_MM if kind == THUMB_1 else HARD_MM
            body.add(start, end, thick=radii[bone], thin=radii[bone + 1], kind=kind, blend_mm=blend)


def _add_sleeve(body: _Body, dice: Dice, has_sleeve: Tensor) -> None:
    """
    Add a sleeve; where there is none, its capsules lie far out of the picture.
    """
    cuff = dice.uniform(*CUFF_MM)
    for first, last, thick, thin in SLEEVE:
        start, end = (torch.tensor(point, device=dice.device).repeat(dice.count, 1) for point in (first, last))
        start[:, 1] = torch.where(has_sleeve, cuff + thick, start[:, 1] + 2000)
        end[:, 1] = torch.where(has_sleeve, end[:, 1] + 40, end[:, 1] + 2000)
        body.add(start, end, thick=thick, thin=thin, kind=CLOTH, blend_mm=HARD_MM)


def _short_of_tip(start: Tensor, tip: Tensor, radius: float) -> Tensor:
    """
    Return where the middle of the last round of a finger lies, so that the finger ends at `tip`.
    """
    bone = tip - start
    return tip - bone / bone.norm(dim=-1, keepdim=True) * radius * 0.8
