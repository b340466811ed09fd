"""
Write what the blind match costs into its protocol's document: `python -m bench.costs`.

Every number comes from docs/figures/matching.json, which holds the last line that `make bench-matching` printed. A test
holds the document to it.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "figures" / "matching.json"
DOCUMENT = ROOT / "docs" / "matching-protocol.md"
HEADING = "## 9. What it costs\n"

Case = Mapping[str, float]
Column = tuple[str, Callable[[Case], str]]


def _ratio(name: str) -> Callable[[Case], str]:
    return lambda case: f"{case[name]:.2f}" if name in case else "–"


def _number(name: str) -> Callable[[Case], str]:
    return lambda case: f"{case[name]:.1f}" if name in case else "–"


def _whole(name: str) -> Callable[[Case], str]:
    return lambda case: f"{case[name]:,.0f}" if name in case else "–"


COLUMNS: tuple[Column, ...] = (
    ("rows", _whole("rows")),
    ("views", _whole("batch")),
    ("float32, ms", _number("float32_ms")),
    ("own work", _ratio("party_over_float32")),
    ("end to end", _ratio("wall_over_float32")),
    ("bits", _number("bits_per_comparison")),
    ("proved: own work", _ratio("active_party_over_float32")),
    ("end to end", _ratio("active_wall_over_float32")),
    ("bits", _number("active_bits_per_comparison")),
    ("over trusting", _ratio("active_wall_over_semi_honest")),
    ("before it, bits", _whole("active_ahead_bits_per_comparison")),
    ("before it, ms", _whole("active_ahead_cpu_ms")),
)


INTRODUCTION = """
Made by `python -m bench.costs` of what `make bench-matching` printed into
[docs/figures/matching.json](figures/matching.json): medians, interleaved in one run, on a machine of {machine[cores]}
cores ({machine[processor]}) that all three matchers share. Palms are random unit vectors of {dims} coordinates.
"""
COLUMNS_EXPLAINED = """
"float32" is a product of the same views with the same rows in the clear, by one thread of BLAS; the other times are
over it. "Own work" is that of the slowest matcher alone, "end to end" that of three processes, from a sealed query to a
sealed answer. "Bits" are sent by a matcher for each comparison. "Before it" is what is prepared for one query between
two of them: bits for each comparison, and processor time of a process.
"""
PROTECTIONS = """
What each protection costs, of {rows:,.0f} rows and {batch} views, in one matcher's own work: that a query is a palm's,
{nonsense_check_ms:.1f} ms of {party_ms:.1f}; with every step proved {active_nonsense_check_ms:.1f} ms of
{active_party_ms:.1f}, and the proof of the products {active_products_proof_ms:.1f} ms.
"""
LARGEST = """
A matcher of {rows:,.0f} rows starts in {start_s:.1f} s and has {resident_mb_at_start:,.0f} MB resident then, its mapped
files included; {resident_mb_max:,.0f} MB at most in trust, {active_resident_mb_max:,.0f} MB with proofs. One view over
as many rows reads its shares at {dot_products_gb_per_s:.1f} GB/s, {dot_products_over_read:.2f} of what plain reading
reaches.
"""
DECISIONS = """
Of {compared:,} decisions, in half of them by prepared words, {differences} differ from those in the clear;
{reached:,} reached the threshold.
"""


def section(figures: Mapping[str, Any]) -> str:
    """
    Return the section, heading and all. Raises `KeyError` for figures that `bench.matching` did not print.
    """
    cases = figures["cases"]
    largest = max(cases, key=lambda case: (float(case["rows"]), -float(case["batch"])))
    parts = (
        _filled(INTRODUCTION, figures),
        _filled(COLUMNS_EXPLAINED, figures),
        "\n".join(_table(cases)),
        _filled(PROTECTIONS, figures),
        _filled(LARGEST, largest),
        _filled(DECISIONS, figures["decisions"]),
    )
    return HEADING + "\n" + "\n\n".join(parts) + "\n"


def _filled(text: str, figures: Mapping[str, Any]) -> str:
    return textwrap.fill(text.strip().format_map(figures), 125, break_on_hyphens=False)


def _table(cases: Iterable[Case]) -> Iterator[str]:
    yield "| " + " | ".join(name for name, _ in COLUMNS) + " |"
    yield "|" + "---:|" * len(COLUMNS)
    for case in cases:
        yield "| " + " | ".join(cell(case) for _, cell in COLUMNS) + " |"


def rewritten(document: str, figures: Mapping[str, Any]) -> str:
    """
    Return the document with the section of these figures in place of its own, or before its sources.
    """
    before, _, after = document.partition(HEADING)
    sources = "Sources: "
    if after:
        after = after[after.index(sources) :]
    else:
        before, _, after = document.rpartition(sources)
        after = sources + after
    return f"{before.rstrip()}\n\n{section(figures)}\n{after}"


def main() -> int:
    """
    Rewrite the document.
    """
    figures = json.loads(FIGURES.read_text())
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
