"""
`handsel restore` asks for a matcher by name, and says what is wrong where it cannot.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.cli.main import main


def test_no_settings_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "--matcher", "c", "--config", str(tmp_path / "nothing.toml")]) == 78
    assert "nothing.toml" in capsys.readouterr().err


def test_a_matcher_that_there_is_not_is_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["restore", "--matcher", "d", "--config", str(tmp_path / "nothing.toml")])
    assert "invalid choice" in capsys.readouterr().err
