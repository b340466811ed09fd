"""
Hold the network of the learned code, which finds how a square lies, and the reading of lines at their places.

It looks at the field of lines (`line_field.py`) and at nothing else: no skin, no shade, no texture. So what it learns
on drawn palms holds for others. It is a dense 3 × 3 residual network, small enough for one thread.

1. `Aligner`: how the square was cut, as an affine map. Two squares of one palm that were cut differently are read at
   the same places of the palm, whatever these are: that is all it is trained for.
2. `sample_field`: the field at places of the square, its angles turned along.
3. `places_code`: 6 × 6 wide places of the field, as the untrained places code has them: 432 numbers.

What turns an angle is a complex number and its powers, so that the whole can be written as an ONNX graph.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from training.line_field import CHANNELS, FIELD, HARMONICS, SIDE, TO_READ, LineField, background

GRID = 6
SPAN = 0.8  # Of the square, as in the places code.
BLUR = 3.5 / 64  # Sides, as in the places code.
KEPT = 3  # Harmonics of the places code: the 4th, 6th and 8th.
PLACES = GRID * GRID * 2 * 2 * KEPT
LOOK_TURN_DEG, LOOK_SHIFT = 4.0, 0.04  # How far a square is moved to be looked at once more.
# A square that was cut far askew is seen better once it has been set straight. To follow the second answer the whole
# way was better for such squares, and worse for dim ones: chosen with photographs in sight.
FOLLOWED = (1.0, 0.5)
LOOKS = ((0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))  # Signs: none, and a tetrahedron of turn and two shifts.


def convolution(incoming: int, outgoing: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    """
    Return a convolution and the normalisation of what it gives.
    """
    layer = nn.Conv2d(incoming, outgoing, size, stride, size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outgoing))


class Residual(nn.Module):
    """
    Add what two convolutions see to what comes in.
    """

    def __init__(self, incoming: int, outgoing: int, *, stride: int = 1) -> None:
        """
        Make the layers.
        """
        super().__init__()
        self.first = convolution(incoming, outgoing, stride=stride)
        self.second = convolution(outgoing, outgoing)
        same = incoming == outgoing and stride == 1
        self.past = nn.Identity() if same else convolution(incoming, outgoing, size=1, stride=stride)

    def forward(self, seen: Tensor) -> Tensor:
        """
        Return the sum.
        """
        return F.relu(self.second(F.relu(self.first(seen))) + self.past(seen))


class Aligner(nn.Module):
    """
    Say how squares lie: from fields (B, CHANNELS, FIELD, FIELD) to affine maps (B, 2, 3), in sides around the middle.
    """

    STEP = 0.1  # What a one of the last layer moves.

    def __init__(self, *, narrow: int = 48, wide: int = 96) -> None:
        """
        Make the layers; untrained, every square lies as it should.
        """
        super().__init__()
        self.layers = nn.Sequential(
            nn.AvgPool2d(2),
            convolution(CHANNELS, narrow),
            nn.ReLU(),
            Residual(narrow, narrow),
            Residual(narrow, wide, stride=2),
            Residual(wide, wide),
            nn.Flatten(),
            nn.Linear(wide * (FIELD // 4) ** 2, 192),
            nn.ReLU(),
        )
        self.last = nn.Linear(192, 6)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)
        self.register_buffer("straight", torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))

    def forward(self, field: Tensor) -> Tensor:
        """
        Return the maps, from places of the palm to places of the square.
        """
        return self.last(self.layers(field)).float().view(-1, 2, 3) * self.STEP + self.straight


def mesh(count: int, span: float) -> Tensor:
    """
    Return the middles of `count` × `count` cells over `span` sides, (2, count²), row after row.
    """
    line = ((torch.arange(count) + 0.5) / count - 0.5) * span
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across.flatten(), down.flatten()])


def compose(pose: Tensor, view: Tensor) -> Tensor:
    """
    Return the affine map that does `view` first and `pose` then, (B, 2, 3).
    """
    linear = pose[:, :, :2] @ view[:, :, :2]
    return torch.cat([linear, pose[:, :, :2] @ view[:, :, 2:] + pose[:, :, 2:]], dim=2)


def sample_field(field: Tensor, pose: Tensor, places: Tensor, harmonics: tuple[int, ...]) -> Tensor:
    """
    Return complex fields (B, banks, harmonics, 2, cells, cells) at `places` (2, P) under `pose`: the same with P last.
    """
    count, banks, kept = field.shape[:3]
    where = pose[:, :, :2] @ places + pose[:, :, 2:]
    grid = (2 * where).transpose(1, 2)[:, :, None]
    flat = field.reshape(count, banks * kept * 2, *field.shape[-2:])
    found = F.grid_sample(flat, grid, padding_mode="zeros", align_corners=False)[..., 0]
    found = found.reshape(count, banks, kept, 2, -1)
    cosine, sine = turn_of(pose)
    turned = []
    for index, harmonic in enumerate(harmonics):
        c, s = power(cosine, sine, harmonic)
        real, imaginary = found[:, :, index, 0], found[:, :, index, 1]
        turned.append(torch.stack([real * c + imaginary * s, imaginary * c - real * s], dim=2))
    return torch.stack(turned, dim=2)


def turn_of(pose: Tensor) -> tuple[Tensor, Tensor]:
    """
    Return cosine and sine of the turn in affine maps, (B, 1, 1) each.
    """
    c, s = pose[:, 0, 0] + pose[:, 1, 1], pose[:, 1, 0] - pose[:, 0, 1]
    length = torch.sqrt(c * c + s * s + 1e-12)
    return (c / length)[:, None, None], (s / length)[:, None, None]


def power(cosine: Tensor, sine: Tensor, exponent: int) -> tuple[Tensor, Tensor]:
    """
    Return the real and imaginary part of (cosine + i · sine) to the `exponent`.
    """
    c, s = cosine, sine
    for _ in range(exponent - 1):
        c, s = c * cosine - s * sine, c * sine + s * cosine
    return c, s


def places_code(field: Tensor, pose: Tensor) -> Tensor:
    """
    Return the places code (B, PLACES) of unit norm of fields (B, CHANNELS, cells, cells) under `pose`.
    """
    count, cells = len(field), field.shape[-1]
    banks = field.reshape(count, 2, -1, cells, cells)[:, :, 2 * (len(HARMONICS) - KEPT) : 2 * len(HARMONICS)]
    blur = background(BLUR * cells, cells).to(field.device)
    blurred = (blur @ banks @ blur.T).reshape(count, 2, KEPT, 2, cells, cells)
    places = sample_field(blurred, pose, mesh(GRID, SPAN).to(field.device), HARMONICS[-KEPT:])
    return F.normalize(places.flatten(1), eps=1e-3)


def aligned(field: Tensor, pose: Tensor) -> Tensor:
    """
    Return whole fields (B, CHANNELS, FIELD, FIELD) as they would be, had the squares been cut as `pose` says.
    """
    count = len(field)
    banks = field.reshape(count, 2, -1, FIELD, FIELD)
    everywhere = mesh(FIELD, 1.0).to(field.device)
    angles = banks[:, :, : 2 * len(HARMONICS)].reshape(count, 2, len(HARMONICS), 2, FIELD, FIELD)
    turned = sample_field(angles, pose, everywhere, HARMONICS).reshape(count, 2, -1, FIELD, FIELD)
    grid = (2 * (pose[:, :, :2] @ everywhere + pose[:, :, 2:])).transpose(1, 2).reshape(count, FIELD, FIELD, 2)
    strength = F.grid_sample(banks[:, :, -1], grid, padding_mode="zeros", align_corners=False)
    return torch.cat([turned, strength[:, :, None]], dim=2).reshape(count, CHANNELS, FIELD, FIELD)


def view_map(*, turn_deg: float, x: float, y: float) -> Tensor:
    """
    Return the affine map of a turn and a shift in sides, (2, 3).
    """
    turn = math.radians(turn_deg)
    return torch.tensor([[math.cos(turn), -math.sin(turn), x], [math.sin(turn), math.cos(turn), y]])


def shrinking(side: int, smaller: int) -> Tensor:
    """
    Return the matrix (smaller, side) that shrinks a column: each pixel is the mean of what it covers.
    """
    edges = torch.arange(smaller + 1) * (side / smaller)
    pixels = torch.arange(side + 1, dtype=torch.float32)
    covered = torch.minimum(edges[1:, None], pixels[None, 1:]) - torch.maximum(edges[:-1, None], pixels[None, :-1])
    return covered.clamp(min=0) * (smaller / side)


class PalmCode(nn.Module):
    """
    Turn one grey square (1, 1, 128, 128), 0..255, into the codes of its views, (V, PLACES): what is written as a file.

    The square, shrunk to SIDE, is looked at as it was cut and moved in four ways, and how it lies is the mean of what
    the aligner says then: that takes out a part of its noise. A view is a small turn and shift of the aligned palm, the
    first of them none. Lines are read in the whole square.
    """

    def __init__(self, aligner: Aligner, views: Tensor) -> None:
        """
        Join the parts. `views` are affine maps (V, 2, 3), from places of the view to places of the palm.
        """
        super().__init__()
        self.field = LineField()
        self.read = LineField(TO_READ)
        self.aligner = aligner
        self.register_buffer("shrinking", shrinking(TO_READ.side, SIDE))
        self.register_buffer("views", views)
        looks = [view_map(turn_deg=LOOK_TURN_DEG * a, x=LOOK_SHIFT * b, y=LOOK_SHIFT * a * b) for a, b in LOOKS]
        self.register_buffer("looks", torch.stack(looks))

    def forward(self, square: Tensor) -> Tensor:
        """
        Return the views' codes.
        """
        found = self.pose(self.field(self.shrinking @ square @ self.shrinking.T))
        pose = compose(found.expand(len(self.views), -1, -1), self.views)
        return places_code(self.read(square).expand(len(self.views), -1, -1, -1), pose)

    def pose(self, field: Tensor) -> Tensor:
        """
        Return how one square lies, (1, 2, 3), from its field.
        """
        fields, pose = field.expand(len(self.looks), -1, -1, -1), self.aligner.straight[None]
        for follow in FOLLOWED:
            looks = compose(pose.expand(len(self.looks), -1, -1), self.looks)
            said = compose(looks, self.aligner(aligned(fields, looks))).mean(0, keepdim=True)
            pose = pose + follow * (said - pose)
        return pose
