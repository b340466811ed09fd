"""
Write down, when a process of the test ends, which modules it had loaded.

Python imports this module by its name at start-up wherever this directory is on PYTHONPATH. The product knows nothing
of it: what is looked at is the real process, as it is.
"""

import atexit
import os
import sys
from pathlib import Path


def _write_down() -> None:
    directory = os.environ.get("TEST_LOADED_MODULES")
    if directory:
        Path(directory, f"{os.getpid()}.txt").write_text("\n".join(sorted(sys.modules)))


atexit.register(_write_down)
