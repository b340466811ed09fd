"""
The bench of pay-outs measures what it says, on both databases, and checks what it measures.
"""

from __future__ import annotations

from pathlib import Path

from bench import pay_out


def test_a_small_pay_out_is_made_written_and_confirmed(tmp_path: Path, engine: str) -> None:
    said: list[str] = []

    figures = pay_out.measure(tmp_path, merchants=21, payments=2, say=said.append)

    assert (figures["merchants"], figures["payments"], figures["goal_s"]) == (21, 42, pay_out.GOAL_S)
    assert len(said) == 3
