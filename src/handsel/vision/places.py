"""
Turn the square of a palm into numbers that say where its lines lie: an untrained code of fixed filters.

Nothing here was learned from a person. The one fitted matrix, a whitening, comes from palms that a program drew
(`training/fit_places.py`). The recipe has four steps, and the fit uses the first three:

1. `find_lines`: two banks of twelve oriented line filters; at each place the angle of the line, stated as its 4th, 6th
   and 8th harmonic, each place with the same say however faint its line; blurred widely, so that a soft palm fits.
2. `sample`: 6 × 6 places of the square's middle, for a view that may be turned and shifted a little: 432 numbers.
3. `fit_whitening`: the mean, and the directions in which drawn palms vary.
4. `PlacesModel`: whitened views of unit norm, whose inner product is the score.

LIMITATIONS
* It checks places: a palm that is tilted, bent or badly framed beyond the views is not recognised.
* Ridges and veins say nothing to it, and a good photograph of a palm is the palm to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handsel.curve import FPIR, PALMS, ImpostorCurve, require_plan
from handsel.errors import ensure
from handsel.vision.embedding import Probe
from handsel.vision.manifest import load_model
from handsel.vision.roi import ROI_SIDE_PX, Roi

ORIENTATIONS = 12
HARMONICS = (4, 6, 8)  # The 2nd says too little for the place it takes; it counts only in the norm.
FIELD_SIDE = ROI_SIDE_PX // 2  # Every second pixel.
FIELD_BLUR = 3.5  # Standard deviation in cells of the field: wide enough for a palm that is not rigid.
NORM_FLOOR = 1e-3  # Of the field's mean norm, so that an empty place stays near zero.
NORM_MIN = 1e-3  # A square with lines has a norm above one.
STRENGTH_FLOOR = 1e-4  # Squared grey levels: a hundredth of a level is no line but a rounding error.
GRID = 6
GRID_SPAN = 0.8  # Of the square: what a shifted view sees still lies inside.
DIMS = GRID * GRID * len(HARMONICS) * 2 * 2  # Two banks, cosine and sine.
SHRINKAGE = 0.2  # Of the mean variance; 0.05 to 1 were alike.
VIEWS = 9  # Beyond nine a view gains next to nothing.
VIEW_SPREAD = (5.0, 0.06, 0.055)  # Standard deviation of turn in degrees and shift in sides: what a finder leaves over.
VIEW_SAMPLES = 6000
VIEW_ROUNDS = 40
MODELS = Path(__file__).parent.parent / "models"
MODEL_NAME = "places-432"

Lines = NDArray[np.complex64]  # (FIELD_SIDE, FIELD_SIDE, 2 banks × 3 harmonics)


@dataclass(frozen=True)
class Bank:
    """
    Describe one bank of line filters; lengths in pixels of the 128-pixel square, frequency in cycles a pixel.
    """

    sigma: float
    frequency: float
    size: int
    background_sigma: float


BANKS = (
    Bank(sigma=4.6, frequency=0.0916, size=35, background_sigma=12),
    Bank(sigma=2.9, frequency=0.145, size=23, background_sigma=8),
)


@dataclass(frozen=True)
class View:
    """
    Look at a square turned by `turn_deg` and shifted by `x` and `y`, in sides of the square.
    """

    turn_deg: float
    x: float
    y: float


AS_SEEN = View(turn_deg=0.0, x=0.0, y=0.0)


def find_lines(square: NDArray[np.uint8]) -> Lines:
    """
    Return the angles of the lines of a grey square, uint8 (128, 128), as complex harmonics (64, 64, 6).
    """
    ensure(square.shape == (ROI_SIDE_PX, ROI_SIDE_PX) and square.dtype == np.uint8, "a square is uint8 (128, 128)")
    grey = square.astype(np.float32)
    angles = np.concatenate([_angles(grey, bank) for bank in BANKS], axis=-1)  # (64, 64, 6)
    parts = np.ascontiguousarray(angles).view(np.float32)  # (64, 64, 12)
    blurred = [cv2.GaussianBlur(np.ascontiguousarray(part), (0, 0), FIELD_BLUR) for part in np.split(parts, 3, axis=-1)]
    field_of_parts = np.concatenate(blurred, axis=-1, dtype=np.float32)
    return np.asarray(np.ascontiguousarray(field_of_parts).view(np.complex64))


def sample(lines: Lines, view: View) -> NDArray[np.float32]:
    """
    Return the 432 numbers of one view, of unit norm, or next to nothing for a square without any line.
    """
    corners, weights = _grid(view)
    places = (lines.reshape(-1, lines.shape[-1])[corners] * weights[..., None]).sum(axis=1)  # (36, 6)
    # A palm that is turned turns the angles of its lines with it.
    turned = places * np.exp(-1j * np.deg2rad(view.turn_deg) * np.array(HARMONICS * len(BANKS)))
    numbers = np.ascontiguousarray(turned, np.complex64).view(np.float32).ravel()  # (432,)
    return np.asarray(_to_unit(numbers[None])[0])


def fit_whitening(
    samples: NDArray[np.float32], *, shrinkage: float = SHRINKAGE
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """
    Return the mean (D,) and the whitening matrix (D, D) of `samples` (N, D), which are to be of drawn palms only.

    `shrinkage`, in units of the mean variance, keeps directions in which they hardly vary from being blown up.
    """
    mean = samples.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(np.cov((samples - mean).T))
    variances = np.maximum(variances, 0)
    matrix = directions * (variances + shrinkage * variances.mean()) ** -0.5
    return mean.astype(np.float32), matrix.astype(np.float32)


def spread_views(count: int = VIEWS) -> tuple[View, ...]:
    """
    Return the views of a query: k-means centres of a Gaussian of `VIEW_SPREAD`, the first held at no turn and no shift.
    """
    points = np.random.default_rng(0).standard_normal((VIEW_SAMPLES, 3)).astype(np.float32)
    centres = np.concatenate([np.zeros((1, 3), np.float32), points[: count - 1]])
    for _ in range(VIEW_ROUNDS):
        nearest = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        for index in range(1, count):
            if np.any(nearest == index):
                centres[index] = points[nearest == index].mean(axis=0)
    return tuple(
        View(turn_deg=float(turn), x=float(x), y=float(y)) for turn, x, y in centres * np.array(VIEW_SPREAD, np.float32)
    )


@dataclass(frozen=True, eq=False)
class PlacesModel:
    """
    Embed a palm as the whitened places of its lines. The views share one field of lines.
    """

    model_id: str
    curve: ImpostorCurve = field(repr=False)
    mean: NDArray[np.float32] = field(repr=False)  # (D,)
    matrix: NDArray[np.float32] = field(repr=False)  # (D, D)
    looks: tuple[View, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """
        Refuse parts that do not fit together. Raises `InvariantBroken`.
        """
        ensure(
            self.mean.shape == (DIMS,) and self.matrix.shape == (DIMS, DIMS), "mean and matrix have D numbers a side"
        )
        ensure(len(self.looks) > 0 and self.looks[0] == AS_SEEN, "the first view is the palm as it was seen")

    @classmethod
    def load(cls, directory: Path = MODELS) -> PlacesModel:
        """
        Return the model that `directory` holds, checked against its manifest. Raises `ModelInvalid`.
        """
        model = load_model(directory, MODEL_NAME, shapes={"mean": (DIMS,), "matrix": (DIMS, DIMS), "views": (VIEWS, 3)})
        looks = tuple(View(turn_deg=float(turn), x=float(x), y=float(y)) for turn, x, y in model.arrays["views"])
        return cls(
            model_id=model.model_id,
            curve=model.curve,
            mean=model.arrays["mean"],
            matrix=model.arrays["matrix"],
            looks=looks,
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
        return len(self.mean)

    @property
    def views(self) -> int:
        """
        Return V, the number of views in a probe.
        """
        return len(self.looks)

    def embed(self, roi: Roi) -> Probe:
        """
        Return the views of the palm in `roi`.
        """
        lines = find_lines(roi.grey())
        samples = np.stack([sample(lines, look) for look in self.looks])  # (V, D)
        return Probe(views=whiten(samples, mean=self.mean, matrix=self.matrix), model_id=self.model_id)


def whiten(
    samples: NDArray[np.float32], *, mean: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.float32]:
    """
    Return `samples` (N, D) less the mean, times the matrix, as rows of unit norm.
    """
    return _to_unit(np.asarray((samples - mean) @ matrix, np.float32))


def _angles(grey: NDArray[np.float32], bank: Bank) -> NDArray[np.complex64]:
    detail = grey - cv2.GaussianBlur(grey, (0, 0), bank.background_sigma)
    responses = np.stack([cv2.filter2D(detail, cv2.CV_32F, kernel)[1::2, 1::2] for kernel in _kernels(bank)])
    strengths = np.minimum(responses, 0) ** 2  # A line is darker than its surroundings.  (12, 64, 64)
    angles = np.tensordot(strengths, _harmonics(), (0, 0))  # (64, 64, 1 + 3)
    norms = np.sqrt((np.abs(angles) ** 2).sum(-1, keepdims=True))
    even = angles / (norms + NORM_FLOOR * norms.mean() + STRENGTH_FLOOR)
    return np.asarray(even[..., 1:], np.complex64)


@cache
def _kernels(bank: Bank) -> tuple[NDArray[np.float32], ...]:
    half = bank.size // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    kernels = []
    for theta in np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS:
        across, along = x * np.cos(theta) + y * np.sin(theta), y * np.cos(theta) - x * np.sin(theta)
        envelope = np.exp(-(across**2 + along**2 / 4) / (2 * bank.sigma**2))
        kernel = envelope * np.cos(2 * np.pi * bank.frequency * across)
        kernel -= kernel.mean()
        kernels.append((kernel / np.abs(kernel).sum()).astype(np.float32))
    return tuple(kernels)


@cache
def _harmonics() -> NDArray[np.complex64]:
    thetas = np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
    return np.asarray(np.exp(1j * np.outer(thetas, (2, *HARMONICS))), np.complex64)  # (12, 4)


@cache
def _grid(view: View) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    # Where the 36 places of a view lie in the field: the four cells around each, and their bilinear weights.
    offsets = ((np.arange(GRID) + 0.5) / GRID - 0.5) * FIELD_SIDE * GRID_SPAN
    across, down = (axis.ravel() for axis in np.meshgrid(offsets, offsets))
    cosine, sine = np.cos(np.deg2rad(view.turn_deg)), np.sin(np.deg2rad(view.turn_deg))
    middle = (FIELD_SIDE - 1) / 2
    x = cosine * across - sine * down + view.x * FIELD_SIDE + middle
    y = sine * across + cosine * down + view.y * FIELD_SIDE + middle
    columns = np.floor(x)[:, None] + np.array([0, 1, 0, 1])  # (36, 4)
    rows = np.floor(y)[:, None] + np.array([0, 0, 1, 1])
    weights = (1 - np.abs(columns - x[:, None])) * (1 - np.abs(rows - y[:, None]))
    is_inside = (columns >= 0) & (columns < FIELD_SIDE) & (rows >= 0) & (rows < FIELD_SIDE)
    cells = np.where(is_inside, rows * FIELD_SIDE + columns, 0).astype(np.intp)
    return cells, np.where(is_inside, weights, 0).astype(np.float32)


def _to_unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, NORM_MIN), np.float32)
