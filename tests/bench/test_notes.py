"""
The bench of notes pays every amount it says, and prints one object at the end.
"""

from __future__ import annotations

import json

import pytest

from bench import notes
from handsel.errors import SignatureInvalid
from tests.reference import ROOT

QUOTED = {
    "sign_note_ms": "| to sign a note blindly, at the issuer | {mean} | {p50} | {p99} | {worst} |",
    "plain_sign_note_ms": "| to sign one plainly, with `cryptography` | {mean} | {p50} | {p99} | {worst} |",
    "sign_payment_ms": "| to sign all notes of a payment | {mean} | {p50} | {p99} | {worst} |",
    "charge_ms": "| a whole charge at the issuer | {mean} | {p50} | {p99} | {worst} |",
    "blind_note_ms": "| to prepare and blind a note, at the till | {mean} | {p50} | {p99} | {worst} |",
    "finalize_note_ms": "| to finish and verify a note, at the till | {mean} | {p50} | {p99} | {worst} |",
    "verify_note_ms": "| to verify a note, at the acquirer | {mean} | {p50} | {p99} | {worst} |",
}


def test_the_amounts_are_spread_up_to_the_largest() -> None:
    assert notes.spread(5000) == tuple(range(1, 5001))
    assert notes.spread(2) == (2500, 5000)
    assert notes.spread(1) == (5000,)


def test_a_summary_is_that_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]

    assert notes.summary(values[::-1]) == {"mean": 50.5, "p50": 51.0, "p99": 100.0, "worst": 100.0}
    assert notes.summary([3.0]) == {"mean": 3.0, "p50": 3.0, "p99": 3.0, "worst": 3.0}


def test_the_last_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert notes.main(["--amounts", "3", "--charges", "2"]) == 0

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["amounts"], found["charges"], found["goal_ms"]) == (3, 2, 8.0)
    # EUR 16.67, 33.34 and 50.00 take five notes each.
    assert found["notes_per_payment"] == {"mean": 5.0, "p50": 5, "p99": 5, "worst": 5}
    assert set(found) >= {"sign_note_ms", "sign_payment_ms", "plain_sign_note_ms", "charge_ms", "verify_note_ms"}


def test_the_decision_quotes_the_figures_as_they_were_printed() -> None:
    figures = json.loads((ROOT / "docs/figures/notes.json").read_text())
    text = " ".join((ROOT / "docs/adr/0018-blind-notes.md").read_text().split())

    for name, sentence in QUOTED.items():
        values = {each: f"{figures[name][each]:.2f}" for each in ("mean", "p50", "p99", "worst")}
        assert sentence.format(**values) in text
    assert (figures["amounts"], figures["charges"], figures["goal_ms"]) == (5000, 500, 8.0)


def test_a_note_that_is_not_genuine_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SignatureInvalid("the note is not genuine")

    monkeypatch.setattr(notes, "verify_note", refuse)

    assert notes.main(["--amounts", "1", "--charges", "1", "--json"]) == 1
    assert "not genuine" in capsys.readouterr().err
