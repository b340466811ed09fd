"""
The painter draws the same hands from the same seed, and what it says of them is where it is in the picture.

Needs PyTorch, which only training needs: without it these tests are skipped.
"""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; only training needs it")

from training.clutter import SIDE_PX, draw_clutter  # noqa: E402  After the check for PyTorch, which they import.
from training.finder_nets import CROP_PX, FRAME_PX, STRIDE_PX, Detector, LandmarkNet  # noqa: E402
from training.hand_painter import SPRITE_PX, Sprites, paint_hands  # noqa: E402
from training.hand_scenes import Bank, draw_crops, draw_frames, palm_axis  # noqa: E402
from training.hand_skeleton import BONES, Dice, pose_hands  # noqa: E402
from training.lens import photograph  # noqa: E402

COUNT = 12


def painted(seed: int) -> Sprites:
    """
    Return a batch of painted hands.
    """
    palms = torch.full((2, 3, 96, 96), 128, dtype=torch.uint8)
    return paint_hands(COUNT, generator=torch.Generator().manual_seed(seed), palms=palms)


@pytest.fixture(scope="module")
def bank() -> Bank:
    """
    Return a small bank for scenes.
    """
    hands = painted(1)
    rgba = torch.cat((hands.colour, hands.cover), 1).mul(255).byte()
    clutter = torch.from_numpy(np.stack([draw_clutter(seed)[0].transpose(2, 0, 1) for seed in range(4)]))
    return Bank(rgba, hands.joints, hands.facing, hands.is_fist, clutter)


def dice(seed: int, count: int = COUNT) -> Dice:
    """
    Return dice for a batch.
    """
    return Dice(count, generator=torch.Generator().manual_seed(seed))


def test_the_same_seed_paints_the_same_hands_and_another_seed_others() -> None:
    first, again, other = painted(1), painted(1), painted(2)

    assert torch.equal(first.colour, again.colour)
    assert torch.equal(first.joints, again.joints)
    assert not torch.equal(first.joints, other.joints)


def test_bones_keep_their_length_however_a_hand_is_held() -> None:
    hands = pose_hands(dice(3))

    for finger, bones in enumerate(BONES):
        joints = hands.joints[:, 5 + 4 * finger : 9 + 4 * finger]
        lengths = (joints[:, 1:] - joints[:, :-1]).norm(dim=-1)
        ratio = lengths / torch.tensor(bones)
        assert (ratio.amax(1) / ratio.amin(1) < 1.0001).all()  # All bones of one finger are scaled alike,
        assert ((ratio > 0.75) & (ratio < 1.3)).all()  # and a little.


def test_joints_lie_on_the_flesh() -> None:
    hands = painted(4)

    inside = (hands.joints > 2).all(-1) & (hands.joints < SPRITE_PX - 3).all(-1)
    for i, j in torch.nonzero(inside).tolist():
        x, y = hands.joints[i, j].round().long().tolist()
        assert hands.cover[i, 0, y - 2 : y + 3, x - 2 : x + 3].max() > 0.5
    assert inside.float().mean() > 0.8


def test_a_batch_shows_palms_and_backs() -> None:
    facing = torch.cat([painted(seed).facing for seed in range(5)])

    assert (facing.abs() <= 1).all()
    assert (facing > 0.35).any()
    assert (facing < 0).any()


def test_crops_say_where_the_landmarks_are(bank: Bank) -> None:
    crops = draw_crops(bank, dice(5))

    assert crops.image.shape == (COUNT, 3, CROP_PX, CROP_PX)
    assert (crops.image >= 0).all()
    assert (crops.image <= 1).all()
    middle, axis = palm_axis(crops.joints)
    assert (axis[:, 1] < 0).all()  # Fingers are up,
    assert ((middle - 0.5).abs() < 0.4).all()  # and the palm about in the middle.


def test_frames_mark_the_cell_of_every_palm(bank: Bank) -> None:
    frames = draw_frames(bank, dice(6))

    cells = FRAME_PX // STRIDE_PX
    assert frames.heat.shape == (COUNT, 1, cells, cells)
    middles = torch.nonzero(frames.heat[:, 0] == 1)
    assert len(middles) > COUNT // 2
    for i, row, column in middles.tolist():
        offset = frames.answers[i, :2, row, column]
        assert frames.near[i, 0, row, column]
        assert (offset.abs() <= 0.5).all()
        assert frames.answers[i, 3:5, row, column].norm() == pytest.approx(1, abs=1e-5)


def test_a_photograph_stays_a_picture_and_is_the_same_again() -> None:
    first, again = (photograph(dice(7), torch.full((COUNT, 3, 32, 32), 0.5)) for _ in range(2))

    assert torch.equal(first, again)
    assert (first >= 0).all()
    assert (first <= 1).all()


def test_clutter_is_the_same_for_the_same_seed() -> None:
    first, again = draw_clutter(8)[0], draw_clutter(8)[0]

    assert first.shape == (SIDE_PX, SIDE_PX, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, draw_clutter(9)[0])


def test_the_nets_answer_in_the_shapes_that_the_product_reads() -> None:
    with torch.no_grad():
        cells = Detector().eval()(torch.zeros(1, 3, FRAME_PX, FRAME_PX))
        landmarks, logits = LandmarkNet().eval()(torch.zeros(1, 3, CROP_PX, CROP_PX))

    assert cells.shape == (1, 6, FRAME_PX // STRIDE_PX, FRAME_PX // STRIDE_PX)
    assert (landmarks.shape, logits.shape) == ((1, 21, 2), (1, 2))
