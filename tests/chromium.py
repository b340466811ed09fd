"""
Say where the browser of the tests is, and how it is started: with a camera that only plays.
"""

from __future__ import annotations

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"this needs Chromium at {CHROMIUM}")
