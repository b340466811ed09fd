"""
The bench of the match measures what a matcher would open, and sees a wrong decision.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bench.decisions import compare_decisions, decide
from bench.galleries import draw_palms, write_galleries
from bench.in_clear import int8_products, sum_of
from bench.served import asked_of

from bench import costs, decisions, matching
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.matching.gallery import Gallery
from handsel.matching.message import MATCHERS
from handsel.matching.party import Terms
from handsel.matching.rows import Rows, from_planes
from handsel.matching.scale import comparison_bits
from handsel.matching.template import quantise

DIMS = 16


@pytest.mark.parametrize("count", [1, 63, 64, 127, 128, 300])
def test_a_matcher_opens_the_galleries_and_they_hold_the_palms(tmp_path: Path, count: int) -> None:
    palms = draw_palms(np.random.default_rng(1), rows=count, dims=DIMS)

    write_galleries(tmp_path, palms, np.random.default_rng(2))

    rows = {name: _opened(tmp_path / name, palms_max=count) for name in MATCHERS}
    views = quantise(palms.drawn[:1])
    for threshold in (-40, 0, 40):
        terms = Terms(threshold, is_proved=False, bits=comparison_bits(threshold, dims=DIMS))
        clear = views.astype(int) @ palms.quantised.astype(int).T >= threshold
        assert np.array_equal(clear, decide(rows, asked_of(views), terms)[:, :count])
    own = [from_planes(np.concatenate([segment.own for segment in rows[name].segments])) for name in MATCHERS]
    assert np.array_equal(palms.aliases, (own[0] ^ own[1] ^ own[2])[:count])
    assert len({rows[name].digest for name in MATCHERS}) == 1


def test_decisions_are_those_in_the_clear_and_both_are_frequent() -> None:
    found = compare_decisions(1, dims=432, generator=np.random.default_rng(3), say=lambda _: None)

    assert found.compared == decisions.ROWS * decisions.VIEWS
    assert found.differences == 0
    assert 0.05 < found.reached / found.compared < 0.95


def test_a_wrong_decision_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_is_wrong(*asked: object) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        decided = decide(*asked)  # type: ignore[arg-type]
        decided[0, 0] ^= True
        return decided

    monkeypatch.setattr(decisions, "decide", one_is_wrong)

    found = compare_decisions(1, dims=DIMS, generator=np.random.default_rng(4), say=lambda _: None)

    assert found.differences == 1


def test_the_references_in_the_clear_are_right() -> None:
    generator = np.random.default_rng(5)
    rows, views = generator.integers(-128, 128, (70, 33), np.int8), generator.integers(-128, 128, (3, 33), np.int8)
    out, words = np.empty((3, 70), np.int32), generator.integers(0, 1 << 63, 64, np.uint64)

    int8_products(rows, views, out)

    assert np.array_equal(views.astype(int) @ rows.astype(int).T, out)
    assert int(sum_of(words)) == int(words.sum())


@pytest.mark.journey
def test_the_last_line_is_one_object_with_the_figures_that_count(capsys: pytest.CaptureFixture[str]) -> None:
    status = matching.main(["--rows=200", "--batch=2", "--dims=64", "--repeats=1", "--json"])

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert status == 0
    assert {"party_over_float32", "wall_over_float32", "bits_per_comparison", "active_wall_over_semi_honest"} <= {
        *figures
    }
    assert (figures["rows"], figures["batch"], figures["right"]) == (200, 2, 1.0)


def _opened(directory: Path, *, palms_max: int) -> Rows:
    gallery = Gallery(
        directory, me="a", issuer=PartyKeys.generate().public(), dims=DIMS, palms_max=palms_max, log=Log("test")
    )
    rows = gallery.rows()
    gallery.close()
    return rows


def test_the_document_quotes_only_what_the_bench_printed() -> None:
    figures = json.loads(costs.FIGURES.read_text())
    document = costs.DOCUMENT.read_text()

    assert document == costs.rewritten(document, figures)
    assert figures["decisions"]["differences"] == 0
    assert figures["decisions"]["compared"] >= matching.DECISIONS
    assert {(case["rows"], case["batch"]) for case in figures["cases"]} == {
        (rows, batch) for rows, batches in matching.STANDARD.items() for batch in batches
    }


def test_the_section_on_costs_is_put_before_the_sources_and_then_replaced() -> None:
    figures = json.loads(costs.FIGURES.read_text())
    once = costs.rewritten("# Match\n\nText.\n\nSources: one; two.\n", figures)

    assert once.startswith("# Match\n\nText.\n\n" + costs.HEADING)
    assert once.endswith("\n\nSources: one; two.\n")
    assert once == costs.rewritten(once, figures)
