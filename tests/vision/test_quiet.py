"""
A library's chatter is held back; everything else is written, also when the block fails.
"""

from __future__ import annotations

import os
import sys

import pytest

from handsel.vision.quiet import quiet_stderr

CHATTER = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"W0000 00:00:1795416728.871314    6266 inference_feedback_manager.cc:114] Feedback manager requires a model\n"
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
)


def test_chatter_is_held_back_and_other_lines_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, CHATTER + b"a line of the till\n")
        print("and one by Python", file=sys.__stderr__)
    os.write(2, b"afterwards\n")

    assert capfd.readouterr().err == "a line of the till\nand one by Python\nafterwards\n"


def test_nothing_is_lost_when_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="as planned"), quiet_stderr():
        os.write(2, CHATTER + b"why it failed\n")
        raise ValueError("as planned")

    assert capfd.readouterr().err == "why it failed\n"
