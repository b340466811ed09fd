"""
`handsel capacity` says what a gallery needs, and refuses what was not measured.
"""

from __future__ import annotations

import pytest

from handsel.cli.main import main
from handsel.curve import require_plan
from handsel.vision.eyes import open_model


def test_a_supported_gallery_is_told_its_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    plan = require_plan(open_model().curve, palms=200, fpir=1e-2)

    assert main(["capacity", "--palms", "200", "--fpir", "0.01"]) == 0

    said = capsys.readouterr().out
    assert f"threshold = {plan.threshold:.4f}, palms_max = 200, fpir = 0.01" in said
    assert "need a false match rate of 5.0e-05" in said


def test_a_gallery_that_is_too_large_is_told_what_narrows_it(capsys: pytest.CaptureFixture[str]) -> None:
    largest = open_model().curve.palms_max(fpir=1e-3)

    assert main(["capacity", "--palms", str(largest)]) == 0
    assert main(["capacity", "--palms", str(largest + 1)]) == 1

    said = capsys.readouterr().out
    assert f"supports {largest} palms in one gallery" in said
    assert "1 digit that the customer types splits it into 10 groups" in said
    assert "a key that the customer holds" in said


def test_nonsense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capacity", "--palms", "0"]) == 78
    assert "one palm or more" in capsys.readouterr().err
