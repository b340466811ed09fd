"""
A net is the one that its manifest names, with the shapes that are wanted, or it is not opened.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from handsel.errors import InvariantBroken, ModelInvalid
from handsel.vision.find_hands import CROP_PX, LANDMARK_NET, MODELS
from handsel.vision.manifest import MANIFEST
from handsel.vision.net import Net

INPUT = (1, 3, CROP_PX, CROP_PX)
OUTPUTS = {"landmarks": (1, 21, 2), "logits": (1, 2)}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """
    Return a folder with the net and its manifest.
    """
    for name in (MANIFEST, f"{LANDMARK_NET}.onnx"):
        shutil.copy(MODELS / name, tmp_path / name)
    return tmp_path


def test_a_net_answers_with_the_shapes_it_was_opened_for(directory: Path) -> None:
    net = Net.load(directory, LANDMARK_NET, inputs=INPUT, outputs=OUTPUTS)

    answers = net.run(np.zeros(INPUT, np.float32))

    assert [answer.shape for answer in answers] == list(OUTPUTS.values())
    assert net.net_id.startswith(f"{LANDMARK_NET}-")


def test_a_net_is_given_the_shape_it_was_made_for(directory: Path) -> None:
    net = Net.load(directory, LANDMARK_NET, inputs=INPUT, outputs=OUTPUTS)

    for shape in ((2, 3, CROP_PX, CROP_PX), (1, 3, CROP_PX, CROP_PX + 1), (3, CROP_PX, CROP_PX)):
        with pytest.raises(InvariantBroken):
            net.run(np.zeros(shape, np.float32))


def test_a_net_with_one_changed_bit_is_refused(directory: Path) -> None:
    path = directory / f"{LANDMARK_NET}.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(ModelInvalid, match=r"not the file that manifest\.toml names"):
        Net.load(directory, LANDMARK_NET, inputs=INPUT, outputs=OUTPUTS)


def test_a_missing_net_and_one_the_manifest_does_not_name_are_refused(directory: Path) -> None:
    with pytest.raises(ModelInvalid, match="no sound entry"):
        Net.load(directory, "hand-nothing", inputs=INPUT, outputs=OUTPUTS)
    (directory / f"{LANDMARK_NET}.onnx").unlink()
    with pytest.raises(ModelInvalid, match="cannot be read"):
        Net.load(directory, LANDMARK_NET, inputs=INPUT, outputs=OUTPUTS)


def test_a_net_of_other_shapes_is_refused(directory: Path) -> None:
    for inputs, outputs in (((1, 3, 64, 64), OUTPUTS), (INPUT, {"landmarks": (1, 21, 2)})):
        with pytest.raises(ModelInvalid, match="other inputs or outputs"):
            Net.load(directory, LANDMARK_NET, inputs=inputs, outputs=outputs)
