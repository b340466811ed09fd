"""
Write the trained aligner, with the fixed filters before it and the reading of places after it, as one ONNX net into the
models' folder, and name it in its manifest.

The file is compared with the net it came from. Its threshold and whitening are fitted then: `fit_aligned_places.py`.

Usage: PYTHONPATH=src python -m training.export_aligner RUN-FOLDER [--models src/handsel/models]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import tomli_w
import torch
from training.line_field import SIDE
from training.palm_net import Aligner, PalmCode, view_map

from handsel.vision.places import spread_views

MODELS = Path(__file__).resolve().parent.parent / "src" / "handsel" / "models"
NET_NAME = "aligned-places"
DIFFERENCE_MAX = 1e-3
OPSET = 17


def export(code: PalmCode) -> bytes:
    """
    Return the net as an ONNX file, checked against itself on noise.
    """
    square = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 255
    content = io.BytesIO()
    torch.onnx.export(
        code, (square,), content, input_names=["square"], output_names=["views"], opset_version=OPSET, dynamo=False
    )
    session = ort.InferenceSession(content.getvalue(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        difference = np.abs(session.run(None, {"square": square.numpy()})[0] - code(square).numpy()).max()
    if difference > DIFFERENCE_MAX:
        raise SystemExit(f"the exported net answers otherwise than the trained one, by {difference}")
    return content.getvalue()


def recipe_sentence(recipe: dict[str, object]) -> str:
    """
    Return in words how the net was trained.
    """
    return (
        f"{recipe['script']}: {recipe['pictures']} pictures of {recipe['palms']} drawn palms, {recipe['minutes']} "
        f"minutes of one core, {recipe['pairs']} pairs a batch, AdamW at {recipe['rate']}, seed {recipe['seed']}, weight "
        f"{recipe['absolute']} of where squares should lie; before that: {recipe['start'] or 'nothing'}. No real palm "
        f"and no statistic of one."
    )


def main() -> None:
    """
    Read the command line, and write the net.
    """
    options = argparse.ArgumentParser(description="Write the trained aligner as ONNX.")
    options.add_argument("run_folder", type=Path)
    options.add_argument("--models", type=Path, default=MODELS)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    aligner = Aligner()
    aligner.load_state_dict(torch.load(chosen.run_folder / "aligner.pt", map_location="cpu", weights_only=True))
    views = [view_map(turn_deg=view.turn_deg, x=view.x, y=view.y) for view in spread_views()]
    content = export(PalmCode(aligner, torch.stack(views)).eval())
    (chosen.models / f"{NET_NAME}.onnx").write_bytes(content)
    manifest = chosen.models / "manifest.toml"
    document = tomllib.loads(manifest.read_text())
    recipe = json.loads((chosen.run_folder / "aligner.json").read_text())
    digest = hashlib.sha256(content).hexdigest()
    document[NET_NAME] = {"file": f"{NET_NAME}.onnx", "sha256": digest, "recipe": recipe_sentence(recipe)}
    heading = "# Written by the scripts in training/. Do not edit: train or fit again.\n"
    manifest.write_text(heading + tomli_w.dumps(document))
    print(f"{NET_NAME}.onnx: {len(content)} bytes")


if __name__ == "__main__":
    main()
