"""
`handsel renew` has all three matchers confirm, and says what is wrong where one does not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.cli.main import main


def test_no_settings_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["renew", "--config", str(tmp_path / "nothing.toml")]) == 78
    assert "nothing.toml" in capsys.readouterr().err
