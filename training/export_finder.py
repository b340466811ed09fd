"""
Write the trained nets of the hand finder as ONNX into the models' folder, and name them in its manifest.

The nets are fused for inference and written with fixed shapes; the file is compared with the net it came from.

Usage: python -m training.export_finder --folder runs/finder [--models src/handsel/models]
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
from torch import nn
from training.finder_nets import CROP_PX, FRAME_PX, Detector, LandmarkNet

MODELS = Path(__file__).resolve().parent.parent / "src" / "handsel" / "models"
DIFFERENCE_MAX = 1e-3
OPSET = 17
NETS: dict[str, tuple[type[nn.Module], int, list[str]]] = {
    "detector": (Detector, FRAME_PX, ["cells"]),
    "landmarks": (LandmarkNet, CROP_PX, ["landmarks", "logits"]),
}


def export(net: nn.Module, side_px: int, outputs: list[str]) -> bytes:
    """
    Return the net as an ONNX file, checked against itself on noise.
    """
    picture = torch.rand(1, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))
    content = io.BytesIO()
    torch.onnx.export(
        net, (picture,), content, input_names=["picture"], output_names=outputs, opset_version=OPSET, dynamo=False
    )
    session = ort.InferenceSession(content.getvalue(), providers=["CPUExecutionProvider"])
    written = session.run(None, {"picture": picture.numpy()})
    with torch.no_grad():
        meant = net(picture)
    for first, second in zip(written, meant if isinstance(meant, tuple) else (meant,), strict=True):
        if np.abs(first - second.numpy()).max() > DIFFERENCE_MAX:
            raise SystemExit("the exported net answers otherwise than the trained one")
    return content.getvalue()


def recipe_sentence(recipe: dict[str, object]) -> str:
    """
    Return in words how a net was trained.
    """
    return (
        f"training/train_finder.py --net {recipe['net']}: {recipe['pictures']} pictures of {recipe['hands']} drawn "
        f"hands before drawn clutter, {recipe['seconds']} s on {recipe['device']}, batch {recipe['batch']}, AdamW at "
        f"{recipe['rate']}, seed {recipe['seed']}, torch {recipe['torch']}. No picture of a person."
    )


def main() -> None:
    """
    Export both nets.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=MODELS)
    args = parser.parse_args()
    manifest = args.models / "manifest.toml"
    document = tomllib.loads(manifest.read_text())
    for name, (kind, side_px, outputs) in NETS.items():
        net = kind()
        state = torch.load(args.folder / f"{name}.pt", map_location="cpu", weights_only=True)
        net.load_state_dict(state["mean"])
        net.eval()
        content = export(net, side_px, outputs)
        file = f"hand-{name}.onnx"
        (args.models / file).write_bytes(content)
        recipe = json.loads((args.folder / f"{name}.json").read_text())
        digest = hashlib.sha256(content).hexdigest()
        document[f"hand-{name}"] = {"file": file, "sha256": digest, "recipe": recipe_sentence(recipe)}
        print(f"{file}: {len(content)} bytes")
    heading = "# Written by the scripts in training/. Do not edit: train or fit again.\n"
    manifest.write_text(heading + tomli_w.dumps(document))


if __name__ == "__main__":
    main()
