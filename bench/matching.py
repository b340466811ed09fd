"""
Measure the blind match, against the same dot products in the clear: `make bench-matching`.

    python -m bench.matching [--rows N] [--batch B] [--dims D] [--repeats R] [--decisions N] [--json]

For each number of rows and each batch of views, interleaved in one run, one thread per process: float32 BLAS and an
int8 loop in the clear; the slowest matcher's own work, with the parties taking turns in one thread; and three real
processes end to end. Matchers that are trusted to follow the protocol are measured beside those that prove every step;
what is measured of the latter begins with `active_`. What a proved query needs is prepared before it: by processes
between two queries, while the measurement waits, and counted as `active_ahead_…`, for one query. Palms are random unit
vectors.

The last line of the output is one JSON object: the figures of 100,000 rows and 9 views, which are one palm, or of the
only case; all others below `cases`. The exit status is 1 where an answer or a decision was wrong.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from bench.by_turns import alone
from bench.decisions import compare_decisions
from bench.galleries import Palms, draw_palms, linked, write_galleries
from bench.in_clear import READ_BYTES, Floats, InClear
from bench.served import Served, Trio, ask, asked_of, start, stop, trio_of

from handsel.log import Log
from handsel.matching import kernels
from handsel.matching.gallery import Gallery
from handsel.matching.memory import keep_freed_memory
from handsel.matching.message import MATCHERS
from handsel.matching.rows import Rows
from handsel.matching.scale import VIEWS_MAX, threshold_to_int
from handsel.matching.settings import Match
from handsel.matching.template import quantise

# Rows → batches; a palm has 9 views. With proof, a million rows and 32 views would take more memory than there is.
STANDARD: dict[int, tuple[int, ...]] = {10_000: (1, 9, 32), 100_000: (1, 9, 32), 1_000_000: (1, 9, 32)}
HEADLINE = (100_000, 9)
ACTIVE_COMPARISONS_MAX = 9_000_000
DECISIONS = 100_000_000
THRESHOLD = 0.5
NEARNESS = 0.8  # Cosine of a probe's view with its enrolled palm.
SEED = 5
REPEATS = {10_000: 20, 100_000: 15, 1_000_000: 5}
SEMI_HONEST, ACTIVE_ONES = "semi_honest", "active"
PREFIXES = {SEMI_HONEST: "", ACTIVE_ONES: "active_"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """
    Hold the palms in the clear, the matchers of both kinds, and their rows, to let the parties take turns.
    """

    palms: Palms
    clear: InClear
    trios: dict[str, Trio]
    served: dict[str, dict[str, Served]]
    rows: dict[str, Rows]


def prepare(root: Path, *, rows: int, dims: int, say: Say) -> Bench:
    """
    Draw palms, write three galleries for each kind of matchers, and start these.
    """
    generator = np.random.default_rng(SEED)
    say(f"{rows:,} rows: drawing and splitting palms …")
    palms = draw_palms(generator, rows=rows, dims=dims)
    write_galleries(root / SEMI_HONEST, palms, generator)
    linked(root / SEMI_HONEST, root / ACTIVE_ONES)
    settings = Match(dims, threshold_to_int(THRESHOLD), palms_max=rows, views_max=VIEWS_MAX, catches_cheaters=False)
    proving = replace(settings, catches_cheaters=True)
    trios = {kind: trio_of(root / kind, own) for kind, own in ((SEMI_HONEST, settings), (ACTIVE_ONES, proving))}
    opened, issuer = {}, trios[SEMI_HONEST].issuer.public()
    for name in MATCHERS:
        gallery = Gallery(
            root / SEMI_HONEST / name, me=name, issuer=issuer, dims=dims, palms_max=rows, log=Log("bench")
        )
        opened[name] = gallery.rows()
        gallery.close()
    say(f"{rows:,} rows: starting three matchers of each kind …")
    served = {kind: start(trio) for kind, trio in trios.items()}
    clear = InClear(palms.drawn, palms.quantised, np.ones(READ_BYTES // 8, np.uint64))
    keep_freed_memory()  # As the processes do, once their galleries are open: the parties by turns are measured alike.
    return Bench(palms, clear, trios, served, opened)


def probe_of(palms: Palms, generator: np.random.Generator, *, index: int, batch: int) -> Floats:
    """
    Return `batch` views, of which one is near palm `index`.
    """
    drawn = draw_palms(generator, rows=batch, dims=palms.drawn.shape[1]).drawn
    near = NEARNESS * palms.drawn[index] + np.sqrt(1 - NEARNESS**2) * drawn[0]
    drawn[generator.integers(batch)] = near / np.linalg.norm(near)
    return drawn


def measure(bench: Bench, *, batch: int, repeats: int) -> dict[str, float]:
    """
    Return the medians of `repeats` rounds; in each, the clear, the parties by turns and all processes see one probe.
    """
    generator, right, asked = np.random.default_rng(SEED + 1), 0, 0
    kinds = kinds_of(len(bench.palms.drawn), batch)
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(repeats + 1):
        index = int(generator.integers(len(bench.palms.drawn)))
        probe = probe_of(bench.palms, generator, index=index, batch=batch)
        views = quantise(probe)
        took = {**bench.clear.measure(probe, views), "dot_products_ms": dot_products_ms(bench.rows["a"], batch)}
        for kind in kinds:
            trio = bench.trios[kind]
            worked = alone(bench.rows, trio.settings.terms(), asked_of(views))
            alias, answered = ask(trio, bench.served[kind], views)
            right, asked = right + (alias == bench.palms.aliases[index].tobytes()), asked + 1
            took |= {PREFIXES[kind] + name: value for name, value in {**worked, **answered}.items()}
        if number:  # The first warms up.
            for name, value in took.items():
                taken[name].append(value)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    # Several queries are prepared at once, after some queries and not after others.
    medians |= {name: statistics.mean(taken[name]) for name in taken if name.endswith("ahead_cpu_ms")}
    return {**medians, **ratios(medians, bench.rows["a"]), "right": right / asked}


def kinds_of(rows: int, batch: int) -> tuple[str, ...]:
    """
    Return the kinds of matchers that can be asked for so many comparisons.
    """
    return (SEMI_HONEST, ACTIVE_ONES) if rows * batch <= ACTIVE_COMPARISONS_MAX else (SEMI_HONEST,)


def dot_products_ms(rows: Rows, batch: int) -> float:
    """
    Return how long one matcher takes for its products, of views that are anything.
    """
    views = np.full((batch, rows.segments[0].templates.shape[1]), 12345, np.uint16)
    out = np.empty((batch, rows.padded), np.uint16)
    begin_s = time.perf_counter()
    for first, segment in rows.placed():
        kernels.dot_products(segment.templates, views, out, first)
    return (time.perf_counter() - begin_s) * 1e3


def ratios(medians: Mapping[str, float], rows: Rows) -> dict[str, float]:
    """
    Return how the matchers compare with the clear and with each other, and what each protection adds to a query.

    What a protection costs is over the work of a matcher that is trusted, but for the nonsense check of those that
    prove every step, which is over their own.
    """
    found = {}
    for prefix in (prefix for prefix in PREFIXES.values() if f"{prefix}party_ms" in medians):
        for what in ("party", "wall"):
            for clear in ("float32", "int8"):
                found[f"{prefix}{what}_over_{clear}"] = medians[f"{prefix}{what}_ms"] / medians[f"{clear}_ms"]
        check = "nonsense_check_ms"
        found[f"{prefix}nonsense_check_over_party"] = medians[prefix + check] / medians[f"{prefix}party_ms"]
        found[f"{prefix}nonsense_check_over_process"] = medians[prefix + check] / medians[f"{prefix}process_cpu_ms"]
    if "active_party_ms" in medians:
        for what in ("party", "wall"):
            found[f"active_{what}_over_semi_honest"] = medians[f"active_{what}_ms"] / medians[f"{what}_ms"]
        for protection in ("products_proof", "comparing", "ahead"):
            found[f"{protection}_over_party"] = medians[f"active_{protection}_ms"] / medians["party_ms"]
    share_bytes = sum(segment.templates.nbytes for _, segment in rows.placed())
    read = share_bytes / medians["dot_products_ms"] / 1e6
    return {**found, "dot_products_gb_per_s": read, "dot_products_over_read": read / medians["read_gb_per_s"]}


def measure_cases(rows: int, batches: Sequence[int], *, dims: int, repeats: int, say: Say) -> list[dict[str, float]]:
    """
    Return the figures of one gallery, a case for each batch. Its memory is what all batches together took at most.
    """
    cases = []
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as place:
        root = Path(place)
        for kind in PREFIXES:
            (root / kind).mkdir()
        bench = prepare(root, rows=rows, dims=dims, say=say)
        for batch in batches:
            say(f"{rows:,} rows, {batch} views: {repeats} rounds …")
            about = {"rows": rows, "batch": batch, "dims": dims, "repeats": repeats}
            figures = measure(bench, batch=batch, repeats=repeats)
            cases.append({**about, "load": os.getloadavg()[0], **figures})
            say("  " + ", ".join(f"{name} {figures[name]:.2f}" for name in figures if name.endswith("_over_float32")))
        for kind, prefix in PREFIXES.items():
            started = bench.served[kind].values()
            memory = {
                f"{prefix}start_s": max(one.start_s for one in started),
                f"{prefix}resident_mb_at_start": max(one.resident_kb for one in started) / 1024,
                f"{prefix}resident_mb_max": stop(bench.served[kind]),
            }
            for case in cases:
                case |= memory
    return cases


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print.
    """
    asked = parsed(argv)
    say: Say = (lambda _: None) if asked.json else (lambda text: print(text, flush=True))
    chosen = {asked.rows or HEADLINE[0]: (asked.batch or HEADLINE[1],)} if asked.rows or asked.batch else STANDARD
    count = asked.decisions if asked.decisions is not None else DECISIONS if chosen is STANDARD else 0
    cases = []
    for rows, batches in chosen.items():
        repeats = asked.repeats or REPEATS.get(rows, 10)
        cases += measure_cases(rows, batches, dims=asked.dims, repeats=repeats, say=say)
    decisions = compare_decisions(count, dims=asked.dims, generator=np.random.default_rng(SEED + 2), say=say)
    headline = next((case for case in cases if (case["rows"], case["batch"]) == HEADLINE), cases[0])
    whole = {**headline, "decisions": asdict(decisions), "machine": machine(), "cases": cases}
    print(json.dumps(whole if len(cases) > 1 else {**whole, "cases": []}, default=float, allow_nan=False))
    return 0 if decisions.differences == 0 and all(case["right"] == 1.0 for case in cases) else 1


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """
    Return what was asked for.
    """
    parser = argparse.ArgumentParser(prog="bench.matching", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, help="of one case only")
    parser.add_argument("--batch", type=int, help="views of one case only, 1 to 32")
    parser.add_argument("--dims", type=int, default=432)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--decisions", type=int, help="how many to compare with those in the clear")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    return parser.parse_args(argv)


def machine() -> dict[str, str | int]:
    """
    Return on what was measured.
    """
    models = [
        line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


if __name__ == "__main__":
    sys.exit(main())
