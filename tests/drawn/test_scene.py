"""
Every scene without a readable palm is refused, for the reason that was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from handsel.drawn import scene
from handsel.drawn.canvas import ByteArray
from handsel.drawn.person import DrawnPerson
from handsel.vision.frame import Frame
from handsel.vision.quality import Reason
from handsel.vision.read_palm import PalmReader, Rejected

SOMEBODY = DrawnPerson(1)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        pytest.param(scene.black, Reason.TOO_DARK, id="a covered camera"),
        pytest.param(partial(scene.empty, 1), Reason.NO_HAND, id="nobody"),
        pytest.param(partial(scene.face, 1), Reason.NO_HAND, id="a face"),
        pytest.param(partial(scene.two_hands, SOMEBODY, DrawnPerson(9), 0), Reason.TWO_HANDS, id="two hands"),
        pytest.param(partial(scene.too_far, SOMEBODY, 0), Reason.TOO_FAR, id="too far"),
        pytest.param(partial(scene.in_the_dark, SOMEBODY, 0), Reason.TOO_DARK, id="in the dark"),
        pytest.param(partial(scene.out_of_focus, SOMEBODY, 0), Reason.BLURRED, id="out of focus"),
    ],
)
def test_a_scene_is_refused_with_its_reason(
    reader: PalmReader, picture: Callable[[], ByteArray], reason: Reason
) -> None:
    assert reader.read(Frame(pixels=picture())) == Rejected(reason)


def test_a_hand_that_is_too_close_is_not_read(reader: PalmReader) -> None:
    """
    Whether the finder still sees a hand in it is the finder's business.
    """
    answer = reader.read(Frame(pixels=scene.too_close(SOMEBODY, 0)))

    assert isinstance(answer, Rejected)
    assert answer.reason in {Reason.TOO_CLOSE, Reason.OUT_OF_FRAME, Reason.NO_HAND}


def test_a_scene_is_always_the_same_and_of_the_size_asked_for() -> None:
    first, again = scene.face(3, width=320, height=240), scene.face(3, width=320, height=240)

    assert np.array_equal(first, again)
    assert first.shape == (240, 320, 3)
    assert not np.array_equal(first, scene.face(4, width=320, height=240))
