"""
Open a net that is kept beside the manifest, and only if it is the one that the manifest names. One thread, CPU.

Knows files and tensors, not what a net was trained for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from handsel.errors import ModelInvalid, ensure
from handsel.vision.manifest import read_net

ERRORS_ONLY = 3  # ONNX Runtime's severity: a till's log is for the till.


class Net:
    """
    Run one net: float32 in, float32 out. Safe for several threads.
    """

    def __init__(self, session: ort.InferenceSession, *, net_id: str, shape: tuple[int, ...]) -> None:
        """
        Hold a session whose only input has `shape`; a first number of 0 stands for any.
        """
        self.net_id = net_id
        self.shape = shape
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(
        cls, directory: Path, name: str, *, inputs: tuple[int, ...], outputs: Mapping[str, tuple[int, ...]]
    ) -> Net:
        """
        Return the net `name` of `directory`, with exactly these shapes. Raises `ModelInvalid`.
        """
        kept = read_net(directory, name)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        try:
            session = ort.InferenceSession(kept.content, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # Its errors are of C++, and all mean that the file is no net.
            raise ModelInvalid(f"{name} cannot be opened as an ONNX net") from exc
        found = {each.name: _shape(each) for each in session.get_outputs()}
        if [_shape(each) for each in session.get_inputs()] != [inputs] or found != dict(outputs):
            raise ModelInvalid(f"{name} has other inputs or outputs than this version of Handsel reads")
        return cls(session, net_id=kept.net_id, shape=inputs)

    def run(self, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """
        Return the net's outputs for `pictures`, in the order of its file.
        """
        ensure(
            pictures.dtype == np.float32 and pictures.shape == self.shape, "a net is given the shape it was made for"
        )
        return [np.asarray(each, np.float32) for each in self._session.run(None, {self._input: pictures})]


def _shape(node: ort.NodeArg) -> tuple[int, ...]:
    return tuple(side if isinstance(side, int) else 0 for side in node.shape)
