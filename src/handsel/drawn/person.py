"""
Hold one drawn person: a hand with its own palm lines, skin and proportions, to be shown in as many pictures as wanted.

A person is a seed. The same seed and shot give the same picture, on every machine with the same libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from handsel.drawn.anatomy import draw_shape
from handsel.drawn.canvas import ByteArray
from handsel.drawn.hand import HandLook
from handsel.drawn.palm import draw_palm_lines
from handsel.drawn.picture import draw_picture
from handsel.drawn.shot import Shot, draw_shot
from handsel.drawn.skin import Skin, draw_skin
from handsel.drawn.square import draw_square
from handsel.drawn.who import Style, WhichHand, draw_age

FRAME_WIDTH, FRAME_HEIGHT = 960, 720
_SEED_SQUARE, _SEED_SIDE = 10, 11
_SECOND_HAND = 2**64  # Above every seed.


@dataclass(frozen=True)
class DrawnPerson:
    """
    A person who does not exist, and shows one hand, in the style of one painter.
    """

    seed: int
    style: Style = Style.PLAIN
    hand: WhichHand = WhichHand.FIRST

    @cached_property
    def look(self) -> HandLook:
        """
        Return what makes this person's hand this person's; drawn at first use, and kept.
        """
        palm = draw_palm_lines(self.seed, style=self.style, hand=self.hand)
        return HandLook(seed=self._hand_seed, shape=draw_shape(self.seed), skin=self.skin, palm=palm)

    @property
    def is_right_handed(self) -> bool:
        """
        Say whether the hand that is held out is the right one.
        """
        is_first_right = bool(np.random.default_rng([_SEED_SIDE, self.seed]).random() < 0.5)
        return is_first_right is (self.hand is WhichHand.FIRST)

    @property
    def age(self) -> float:
        """
        Return how old this person is, in years.
        """
        return draw_age(self.seed)

    @property
    def skin(self) -> Skin:
        """
        Return the colours of this person's skin.
        """
        return draw_skin(self.seed, style=self.style)

    def square(self, shot: int) -> ByteArray:
        """
        Return one aligned palm square, grey uint8 (128, 128), with a finder's errors: for fitting.
        """
        return draw_square(self.look.palm, np.random.default_rng([_SEED_SQUARE, self._hand_seed, shot]))

    def shot(self, number: int) -> Shot:
        """
        Return how this person's picture `number` is taken.
        """
        return draw_shot(self._hand_seed, number, style=self.style)

    def frame(self, shot: int, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
        """
        Return picture `shot` of the whole hand, RGB uint8 (height, width, 3).
        """
        return self.frame_of(self.shot(shot), width=width, height=height)

    def frame_of(self, shot: Shot, *, width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> ByteArray:
        """
        Return the picture that `shot` describes, RGB uint8 (height, width, 3).
        """
        return draw_picture(((self.look, shot, self.is_right_handed),), width=width, height=height)

    @property
    def _hand_seed(self) -> int:
        # The two hands of a person are photographed apart.
        return self.seed if self.hand is WhichHand.FIRST else self.seed + _SECOND_HAND
