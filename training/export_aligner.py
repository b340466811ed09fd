"""
Write the trained aligner, with the fixed filters before it and the reading of places after it, as one ONNX net into the
models' folder, and name it in its manifest.

The file is compared with the net it came from. Its threshold and whitening are fitted then: `fit_aligned_places.py`.

Usage: PYTHONPATH=src python -m training.export_aligner RUN-FOLDER... [--models src/handsel/models]
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
from training.line_field import TO_READ
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
    square = torch.rand(1, 1, TO_READ.side, TO_READ.side, generator=torch.Generator().manual_seed(0)) * 255
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


def mean_aligner(folders: list[Path]) -> Aligner:
    """
    Return the aligner whose weights are the mean of those in `folders`: trained apart from one start, better together.
    """
    states = [torch.load(folder / "aligner.pt", map_location="cpu", weights_only=True) for folder in folders]
    aligner = Aligner()
    aligner.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return aligner


def recipe_sentence(recipe: dict[str, object]) -> str:
    """
    Return in words how one net was trained, and what it went on from.
    """
    own = (
        f"{recipe['pictures']} pictures of {recipe['palms']} drawn palms, {recipe['minutes']} minutes on a part of one "
        f"core, {recipe['pairs']} pairs a batch, AdamW at {recipe['rate']}, seed {recipe['seed']}, weight "
        f"{recipe['absolute']} of where squares should lie"
    )
    before = str(recipe["start"])
    return f"{recipe_sentence(json.loads(before))}; then {own}" if before else own


def main() -> None:
    """
    Read the command line, and write the net.
    """
    options = argparse.ArgumentParser(description="Write the trained aligner as ONNX.")
    options.add_argument("run_folders", type=Path, nargs="+", help="of several runs from one start, the mean is taken")
    options.add_argument("--models", type=Path, default=MODELS)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    aligner = mean_aligner(chosen.run_folders)
    views = [view_map(turn_deg=view.turn_deg, x=view.x, y=view.y) for view in spread_views()]
    content = export(PalmCode(aligner, torch.stack(views)).eval())
    (chosen.models / f"{NET_NAME}.onnx").write_bytes(content)
    manifest = chosen.models / "manifest.toml"
    document = tomllib.loads(manifest.read_text())
    sentences = [recipe_sentence(json.loads((run / "aligner.json").read_text())) for run in chosen.run_folders]
    runs = " | ".join(sentences)
    recipe = f"training/train_aligner.py, mean of {len(sentences)}: {runs}. No real palm and no statistic of one."
    digest = hashlib.sha256(content).hexdigest()
    document[NET_NAME] = {"file": f"{NET_NAME}.onnx", "sha256": digest, "recipe": recipe}
    heading = "# Written by the scripts in training/. Do not edit: train or fit again.\n"
    manifest.write_text(heading + tomli_w.dumps(document))
    print(f"{NET_NAME}.onnx: {len(content)} bytes")


if __name__ == "__main__":
    main()
