"""
The command that measures says what to do where the source is not there, and passes on what was asked.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.cli import bench
from handsel.cli.main import main
from tests.reference import ROOT


def test_the_source_is_that_of_the_package() -> None:
    assert bench.checkout() == ROOT


def test_the_source_may_be_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "lib" / "handsel" / "cli" / "bench.py"))
    monkeypatch.chdir(ROOT)

    assert bench.checkout() == ROOT


def test_without_the_source_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "lib" / "handsel" / "cli" / "bench.py"))
    monkeypatch.chdir(tmp_path)

    status = main(["bench", "matching", "--rows", "10"])

    assert status == 66
    assert "make bench-matching" in capsys.readouterr().err


def test_what_was_asked_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []

    def hear(asked: list[str]) -> int:
        heard.append(asked)
        return 0

    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("bench.matching.main", hear)

    status = main(["bench", "matching", "--rows", "10", "--batch", "2", "--json"])

    assert status == 0
    assert heard == [["--rows=10", "--batch=2", "--json"]]


def test_the_bench_of_notes_is_passed_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []

    def hear(asked: list[str]) -> int:
        heard.append(asked)
        return 0

    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("bench.notes.main", hear)

    assert main(["bench", "notes", "--amounts", "10", "--charges", "2", "--json"]) == 0
    assert heard == [["--amounts=10", "--charges=2", "--json"]]


def test_what_was_asked_of_the_ledgers_bench_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []

    def hear(asked: list[str]) -> int:
        heard.append(asked)
        return 0

    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("bench.ledger.main", hear)

    status = main(["bench", "ledger", "--payers", "10", "--json"])

    assert status == 0
    assert heard == [["--payers=10", "--json"]]


def test_the_bench_of_charges_is_passed_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[list[str]] = []

    def hear(asked: list[str]) -> int:
        heard.append(asked)
        return 0

    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("bench.charge.main", hear)

    assert main(["bench", "charge", "--rate", "5", "--seconds", "2", "--json"]) == 0
    assert heard == [["--rate=5", "--seconds=2", "--json"]]
