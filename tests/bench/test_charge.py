"""
The bench of charges pays what it asks for, between real processes, and prints one object at the end.
"""

from __future__ import annotations

import json

import pytest

from bench import charge


@pytest.mark.journey
def test_every_charge_is_paid_and_the_last_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert charge.main(["--rate", "4", "--seconds", "1"]) == 0

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["charges"], found["paid"], found["rate_per_s"]) == (4, 4, 4)
    assert 0 < found["till_to_paid_ms"]["p50"] <= found["till_to_paid_ms"]["worst"]


@pytest.mark.parametrize("wrong", [["--rate", "0"], ["--seconds", "601"]])
def test_nonsense_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        charge.main(wrong)

    assert "1 to 1000 a second" in capsys.readouterr().err
