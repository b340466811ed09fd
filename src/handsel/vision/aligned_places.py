"""
Turn the square of a palm into numbers that say where its lines lie, after a small network has said how the palm lies.

The places code (`places.py`) checks places, and so it fails where a square was cut askew. Here its fixed filters and
its 6 × 6 places stand in one net with an aligner that looks at the lines alone and was trained on drawn palms, to read
two squares of one palm at the same places of the palm, however each was cut (`training/train_aligner.py`). Nothing here
was learned from a person.

1. The square in grey goes through the net, which shrinks it to see how the palm lies: one row of numbers a view.
2. Rows are whitened as drawn palms vary, and cut to unit norm; their inner product is the score.

LIMITATIONS
* A palm that shows no line, or only a shadow's edge, is aligned by chance.
* Ridges and veins say nothing to it, and a good photograph of a palm is the palm to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handsel.curve import FPIR, PALMS, ImpostorCurve, require_plan
from handsel.errors import ensure
from handsel.vision.embedding import Probe
from handsel.vision.manifest import ID_DIGITS, load_model
from handsel.vision.net import Net
from handsel.vision.places import DIMS, MODELS, VIEWS, whiten
from handsel.vision.roi import ROI_SIDE_PX, Roi

NET_NAME = "aligned-places"
MODEL_NAME = "aligned-places-432"


def open_net(directory: Path = MODELS) -> Net:
    """
    Return the net that reads the places, checked against the manifest. Raises `ModelInvalid`.
    """
    return Net.load(directory, NET_NAME, inputs=(1, 1, ROI_SIDE_PX, ROI_SIDE_PX), outputs={"views": (VIEWS, DIMS)})


def read_places(net: Net, square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return the numbers of every view of a grey square, uint8 (128, 128): float32 (V, D), the first as the palm lies.
    """
    (views,) = net.run(square.astype(np.float32)[None, None])
    return views


@dataclass(frozen=True, eq=False)
class AlignedPlacesModel:
    """
    Embed a palm as the whitened places of its lines, read where the palm lies in its square.
    """

    model_id: str
    curve: ImpostorCurve = field(repr=False)
    net: Net = field(repr=False)
    mean: NDArray[np.float32] = field(repr=False)  # (D,)
    matrix: NDArray[np.float32] = field(repr=False)  # (D, D)

    def __post_init__(self) -> None:
        """
        Refuse parts that do not fit together. Raises `InvariantBroken`.
        """
        ensure(
            self.mean.shape == (DIMS,) and self.matrix.shape == (DIMS, DIMS), "mean and matrix have D numbers a side"
        )

    @classmethod
    def load(cls, directory: Path = MODELS) -> AlignedPlacesModel:
        """
        Return the model that `directory` holds, checked against its manifest. Raises `ModelInvalid`.
        """
        net = open_net(directory)
        model = load_model(directory, MODEL_NAME, shapes={"mean": (DIMS,), "matrix": (DIMS, DIMS)})
        return cls(
            model_id=f"{model.model_id}-{net.net_id[-ID_DIGITS:]}",  # Another net is another model.
            curve=model.curve,
            net=net,
            mean=model.arrays["mean"],
            matrix=model.arrays["matrix"],
        )

    @property
    def threshold(self) -> float:
        """
        Return the cosine from which two palms are the same in a gallery of the default size.
        """
        return require_plan(self.curve, palms=PALMS, fpir=FPIR).threshold

    @property
    def dims(self) -> int:
        """
        Return D, the length of a vector.
        """
        return int(self.matrix.shape[1])

    @property
    def views(self) -> int:
        """
        Return V, the number of views in a probe.
        """
        return VIEWS

    def embed(self, roi: Roi) -> Probe:
        """
        Return the views of the palm in `roi`.
        """
        views = whiten(read_places(self.net, roi.grey()), mean=self.mean, matrix=self.matrix)
        return Probe(views=views, model_id=self.model_id)
