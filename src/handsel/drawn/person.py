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

FRAME_WIDTH, FRAME_HEIGHT = 960, 720
_SEED_SQUARE, _SEED_SIDE = 10, 11


@dataclass(frozen=True)
class DrawnPerson:
    """
    A person who does not exist, and shows one hand.
    """

    seed: int

    @cached_property
    def look(self) -> HandLook:
        """
        Return what makes this person's hand this person's; drawn at first use, and kept.
        """
        return HandLook(
            seed=self.seed, shape=draw_shape(self.seed), skin=draw_skin(self.seed), palm=draw_palm_lines(self.seed)
        )

    @property
    def is_right_handed(self) -> bool:
        """
        Say which hand this person holds out.
        """
        return bool(np.random.default_rng([_SEED_SIDE, self.seed]).random() < 0.5)

    @property
    def skin(self) -> Skin:
        """
        Return the colours of this person's skin.
        """
        return draw_skin(self.seed)

    def square(self, shot: int) -> ByteArray:
        """
        Return one aligned palm square, grey uint8 (128, 128), with a finder's errors: for fitting.
        """
        return draw_square(self.look.palm, np.random.default_rng([_SEED_SQUARE, self.seed, shot]))

    def shot(self, number: int) -> Shot:
        """
        Return how this person's picture `number` is taken.
        """
        return draw_shot(self.seed, number)

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
