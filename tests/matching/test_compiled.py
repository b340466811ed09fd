"""
Promise of the compilation: a matcher starts also where no machine code can be kept.
"""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
from handsel.matching import kernels
words = np.arange(64, dtype=np.uint16)
kernels.add_mask(words, words, np.zeros(64, np.uint16))
print(words[:3].tolist())
"""


def test_loops_run_where_nothing_can_be_cached() -> None:
    nowhere = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}

    run = subprocess.run([sys.executable, "-c", PROGRAM], env=nowhere, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (0, "[0, 2, 4]\n")
