"""
Set what holds for all tests: properties draw new examples on a developer's machine, and the same ones in CI.
"""

from __future__ import annotations

import os

from hypothesis import settings

# A property that fails for an example that nobody has seen before is found where somebody can look at it.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
