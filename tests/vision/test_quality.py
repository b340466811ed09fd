"""
Every reason is given where it holds, and not where it just does not.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from handsel.drawn.person import DrawnPerson
from handsel.vision.frame import Frame
from handsel.vision.hand import LANDMARKS, Hand
from handsel.vision.quality import (
    FORESHORTENING_MIN,
    FRAME_FILLED_MAX,
    GLARE_SHARE_MAX,
    LUMA_MIN,
    MISFIT_MAX,
    PALM_SCORE_MIN,
    SIDE_PX_MIN,
    Reason,
    covered_share,
    grade,
    judge_frame,
    judge_hands,
    judge_placement,
    judge_roi,
    judge_side,
    sharpness,
)
from handsel.vision.roi import ROI_SIDE_PX, Placement, Roi

FRAME = Frame(pixels=np.full((480, 640, 3), 120, np.uint8))


def placement(
    side_px: float, *, x: float = 320.0, y: float = 240.0, tilt: float = 1.0, misfit: float = 0.0
) -> Placement:
    """
    Return a square of `side_px` around a place of the frame, foreshortened by `tilt`.
    """
    to_frame = np.diag([side_px * tilt, side_px])
    to_square = np.linalg.inv(to_frame)
    return Placement(matrix=np.column_stack([to_square, 0.5 - to_square @ (x, y)]), misfit=misfit)


def hand(reach: float = 1.8) -> Hand:
    """
    Return a hand whose fingers reach so many times as far as its knuckles.
    """
    landmarks = np.zeros((LANDMARKS, 2), np.float32)
    landmarks[[5, 9, 13, 17]] = (0, 100)
    landmarks[[8, 12, 16, 20]] = (0, 100 * reach)
    return Hand(landmarks=landmarks, score=1.0, palm_score=1.0)


def roi(pixels: NDArray[np.uint8]) -> Roi:
    """
    Return a grey square as a palm's.
    """
    return Roi(pixels=np.repeat(pixels[..., None], 3, axis=-1))


def drawn_square(seed: int, shot: int = 0) -> NDArray[np.uint8]:
    """
    Return a drawn square with no wedge and no blur worth the name.
    """
    return DrawnPerson(seed).square(shot)


def test_a_dark_frame_is_too_dark_and_a_dim_one_is_not() -> None:
    for grey, reason in ((0, Reason.TOO_DARK), (LUMA_MIN - 1, Reason.TOO_DARK), (LUMA_MIN + 1, None)):
        assert judge_frame(Frame(pixels=np.full((48, 64, 3), grey, np.uint8))) == reason


def test_a_lit_palm_before_a_black_cloth_is_not_too_dark() -> None:
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[100:200, 100:200] = 150

    assert judge_frame(Frame(pixels=pixels)) is None


def test_one_hand_is_wanted() -> None:
    assert judge_hands(()) == Reason.NO_HAND
    assert judge_hands((hand(),)) is None
    assert judge_hands((hand(), hand())) == Reason.TWO_HANDS


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (placement(200), None),
        (placement(SIDE_PX_MIN + 1), None),
        (placement(SIDE_PX_MIN - 1), Reason.TOO_FAR),
        (placement(200, x=95), None),
        (placement(200, x=85), Reason.OUT_OF_FRAME),
        (placement(200, y=470), Reason.OUT_OF_FRAME),
        (placement(480 * FRAME_FILLED_MAX - 5, x=100), Reason.OUT_OF_FRAME),
        (placement(480 * FRAME_FILLED_MAX + 5, x=100), Reason.TOO_CLOSE),
        (placement(490), None),
        (placement(700), Reason.TOO_CLOSE),
        (placement(200, tilt=FORESHORTENING_MIN + 0.01), None),
        (placement(200, tilt=FORESHORTENING_MIN - 0.01), Reason.TILTED),
        (placement(200, misfit=MISFIT_MAX - 0.01), None),
        (placement(200, misfit=MISFIT_MAX + 0.01), Reason.NO_HAND),
        (None, Reason.NO_HAND),
    ],
)
def test_the_palm_lies_well_in_the_frame_or_a_reason_says_why_not(
    where: Placement | None, reason: Reason | None
) -> None:
    assert judge_placement(FRAME, hand=hand(), placement=where) == reason


def test_a_fist_is_closed_and_a_slack_hand_is_not() -> None:
    assert judge_placement(FRAME, hand=hand(reach=1.2), placement=placement(200)) == Reason.HAND_CLOSED
    assert judge_placement(FRAME, hand=hand(reach=1.3), placement=placement(200)) is None


def test_sharp_drawn_palms_pass_and_blurred_ones_do_not() -> None:
    for seed in range(8):
        square = drawn_square(seed)
        blurred = np.asarray(cv2.GaussianBlur(square, (0, 0), 5), np.uint8)

        assert judge_roi(roi(square)) is None
        assert judge_roi(roi(blurred)) == Reason.BLURRED


def test_a_blank_square_is_blurred() -> None:
    assert judge_roi(roi(np.full((ROI_SIDE_PX, ROI_SIDE_PX), 128, np.uint8))) == Reason.BLURRED


def test_sharpness_falls_with_blur_and_not_with_light() -> None:
    square = drawn_square(5)
    by_blur = [sharpness(roi(np.asarray(cv2.GaussianBlur(square, (0, 0), sigma), np.uint8))) for sigma in (1, 2, 3, 4)]
    dim = sharpness(roi((square // 2).astype(np.uint8)))

    assert by_blur == sorted(by_blur, reverse=True)
    assert dim == pytest.approx(sharpness(roi(square)), rel=0.1)


def test_a_dark_palm_is_too_dark() -> None:
    square = drawn_square(5).astype(float)
    for mean, reason in ((LUMA_MIN - 2, Reason.TOO_DARK), (LUMA_MIN + 2, None)):
        assert judge_roi(roi(np.clip(square * mean / square.mean(), 0, 255).round().astype(np.uint8))) == reason


def test_glare_is_a_reason_only_where_it_covers_much() -> None:
    square = drawn_square(5)
    for share, reason in ((GLARE_SHARE_MAX - 0.02, None), (GLARE_SHARE_MAX + 0.02, Reason.GLARE)):
        lit = np.minimum(square, 240)
        lit[: int(ROI_SIDE_PX * share)] = 255

        assert judge_roi(roi(lit)) == reason


def test_the_grade_is_that_of_the_weakest_side() -> None:
    square = roi(drawn_square(5))
    blurred = Roi(pixels=np.asarray(cv2.GaussianBlur(square.pixels, (0, 0), 2), np.uint8))

    assert grade(square, placement(300)) == 1.0
    assert grade(square, placement(ROI_SIDE_PX / 2)) == pytest.approx(0.5)
    assert 0 < grade(blurred, placement(300)) < 1
    assert grade(Roi(pixels=np.zeros((ROI_SIDE_PX, ROI_SIDE_PX, 3), np.uint8)), placement(300)) == 0.0


def test_every_reason_tells_the_customer_what_to_do() -> None:
    texts = [reason.text for reason in Reason]

    assert len(set(texts)) == len(texts)
    assert all(text.endswith(".") and len(text) < 60 for text in texts)


def covered(square: NDArray[np.uint8], colour: tuple[int, int, int], *, columns: int) -> Roi:
    """
    Return a square of skin's colour, of which so many columns from the left are of another colour.
    """
    skin = np.clip(square[..., None] * np.array([1.0, 0.75, 0.6]), 0, 255).astype(np.uint8)
    skin[:, :columns] = colour
    return Roi(pixels=skin)


@pytest.mark.parametrize("colour", [(230, 228, 225), (25, 25, 28), (40, 50, 130), (30, 22, 18)])
def test_what_covers_more_than_three_tenths_is_a_reason_and_less_is_not(colour: tuple[int, int, int]) -> None:
    """
    Bandage, a black thing, ink, and something dark of the skin's own tint: 32 columns are 4 cells of 16, 40 are 5.
    """
    square = DrawnPerson(1).square(0)

    assert covered_share(covered(square, colour, columns=0)) == 0
    assert abs(covered_share(covered(square, colour, columns=32)) - 4 / 16) < 0.01
    assert judge_roi(covered(square, colour, columns=32)) is None
    assert judge_roi(covered(square, colour, columns=40)) is Reason.COVERED


def test_light_from_the_side_covers_nothing() -> None:
    square = DrawnPerson(1).square(0) * np.linspace(1.0, 0.55, ROI_SIDE_PX)

    assert covered_share(covered(square.astype(np.uint8), (0, 0, 0), columns=0)) == 0


def test_the_back_of_a_hand_is_told_from_a_palm_unless_most_of_it_lies_outside() -> None:
    frame = Frame(pixels=np.zeros((480, 640, 3), np.uint8))
    inside = np.full((LANDMARKS, 2), 100, np.float32)
    outside = inside.copy()
    outside[LANDMARKS // 2 :] = -5

    def judged(landmarks: NDArray[np.float32], palm_score: float) -> Reason | None:
        return judge_side(frame, Hand(landmarks=landmarks, score=1.0, palm_score=palm_score))

    assert judged(inside, PALM_SCORE_MIN) is None
    assert judged(outside, PALM_SCORE_MIN) is None
    assert judged(inside, PALM_SCORE_MIN - 0.01) is Reason.BACK_OF_HAND
    assert judged(outside, PALM_SCORE_MIN - 0.01) is Reason.TOO_CLOSE
