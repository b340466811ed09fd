"""
The decisions quote what the benches printed.
"""

from __future__ import annotations

import json
from typing import Any

from tests.reference import ROOT


def figures(name: str) -> Any:
    return json.loads((ROOT / f"docs/figures/{name}.json").read_text())


def text_of(decision: str) -> str:
    return " ".join(next((ROOT / "docs/adr").glob(f"{decision}-*.md")).read_text().split())


def test_the_decision_on_notes_quotes_how_long_a_charge_takes() -> None:
    found = figures("charge")
    took, goal = found["till_to_paid_ms"], found["goal_ms"]

    quoted = f"half within {took['p50']:.1f} ms, 99 of 100 within {took['p99']:.1f} ms"
    assert f"{quoted}, the goals being {goal['p50']:.0f} and {goal['p99']:.0f}." in text_of("0018")
    assert (found["paid"], found["rate_per_s"]) == (found["charges"], 50)


def test_the_decision_on_the_ledger_quotes_how_many_transfers_it_takes() -> None:
    text = text_of("0019")
    for name in ("sqlite", "postgresql"):
        found = figures("ledger")[name]
        for shape in ("hot_merchant", "spread"):
            assert f"{found[f'{shape}_per_s']:,.0f}" in text
            assert f"{found[f'{shape}_over_naive']:.1f}" in text
        assert f"{found['hot_merchant_beside_tree_per_s']:,.0f}" in text


def test_the_decision_on_bank_files_quotes_how_long_a_pay_out_takes() -> None:
    found, text = figures("payout"), text_of("0028")

    assert f"{found['merchants']:,} merchants with {found['payments']:,} payments: {found['whole_s']:.1f} s" in text
    assert f"of which {found['ordered_s']:.1f} s is the ledger" in text
    assert f"booked in {found['statement_booked_s']:.1f} s" in text
