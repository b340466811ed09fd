"""
Simulate payments from the command line: `python -m tests.simulation --seed 1 --payments 20000`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from tests.simulation.harness import Told, run_job, run_world
from tests.simulation.mutations import MUTATIONS
from tests.simulation.mutations.mutation import Mutation

WORLD_PAYMENTS = 500  # Then another world begins: what is compared in each calm grows with it.
MUTATION_SEEDS = 20
MUTATION_PAYMENTS = 300
FOUND_SHARE_MIN = 0.95
TRACE_SHOWN = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Return 0 where everything held or, with `--mutations`, where nearly every planted bug was found.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first world; the next one has the next seed")
    parser.add_argument("--payments", type=int, default=10_000, help="in all worlds together")
    parser.add_argument("--world", type=int, default=WORLD_PAYMENTS, help="how many payments one world has")
    parser.add_argument("--workers", type=int, default=1, help="how many processes run worlds at the same time")
    parser.add_argument("--real", action="store_true", help="with real keys and envelopes: about five times slower")
    parser.add_argument("--mutations", nargs="*", metavar="NAME", help="plant bugs, all or these, and look for them")
    wanted = parser.parse_args(arguments)
    if wanted.mutations is not None:
        return _find_mutations(wanted.mutations, seed=wanted.seed)
    return _simulate(wanted)


def _simulate(wanted: argparse.Namespace) -> int:
    """
    Run worlds until so many payments were tried, or one is broken.
    """
    began_s, counts, done = time.monotonic(), Counter[str](), 0
    slowest_ms = 0
    print(f"seed {wanted.seed}, {wanted.payments} payments, {wanted.world} in each world", flush=True)
    for told in _worlds(wanted):
        done += told.payments
        slowest_ms = max(slowest_ms, told.counts.pop("slowest_ms", 0))
        counts.update(told.counts)
        rate = done / (time.monotonic() - began_s)
        pace = f"{rate:.0f}/s, {_span((wanted.payments - done) / rate)} left"
        print(f"  seed {told.seed}: {told.payments} payments; {done} in all, {pace}", flush=True)
        if told.broken is not None:
            _show(told, wanted)
            return 1
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))
    print(f"nothing lost, nothing double: {done} payments in {time.monotonic() - began_s:.0f} s; {said}")
    print(f"everything had its end at most {slowest_ms / 1000:.1f} s after the trouble was over")
    return 0


def _span(seconds: float) -> str:
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s} s"


def _worlds(wanted: argparse.Namespace) -> Iterator[Told]:
    sizes = [wanted.world] * (wanted.payments // wanted.world)
    sizes += [wanted.payments % wanted.world] if wanted.payments % wanted.world else []
    jobs = [(wanted.seed + number, size, wanted.real) for number, size in enumerate(sizes)]
    if wanted.workers == 1:
        yield from map(run_job, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(wanted.workers, maxtasksperchild=50) as pool:
        yield from pool.imap(run_job, jobs)


def _show(told: Told, wanted: argparse.Namespace) -> None:
    print(f"\nseed {told.seed}, payment {told.payments}: {told.broken}\n")
    print("\n".join(told.trace[-TRACE_SHOWN:]))
    size = min(wanted.world, wanted.payments)
    real = " --real" if wanted.real else ""
    print(f"\nthe same again: python -m tests.simulation --seed {told.seed} --payments {size} --world {size}{real}")


def _find_mutations(names: list[str], *, seed: int) -> int:
    """
    Plant one bug after another, and say at which seed and payment each is found.
    """
    unknown = set(names) - {mutation.name for mutation in MUTATIONS}
    if unknown:
        print(f"no such mutation: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [mutation for mutation in MUTATIONS if not names or mutation.name in names]
    found = sum(_is_found(mutation, seed=seed, say=print) for mutation in chosen)
    print(f"{found} of {len(chosen)} found, from seed {seed} on, with {MUTATION_SEEDS} seeds at most")
    return 0 if found >= FOUND_SHARE_MIN * len(chosen) else 1


def _is_found(mutation: Mutation, *, seed: int, say: Callable[[str], object]) -> bool:
    told = find(mutation, seed=seed)
    if told is None:
        say(f"  NOT FOUND  {mutation.name}: {mutation.breaks}")
        return False
    say(f"  found      {mutation.name}, seed {told.seed}, payment {told.payments}: {told.broken}")
    return True


def find(mutation: Mutation, *, seed: int, seeds: int = MUTATION_SEEDS) -> Told | None:
    """
    Return the first world, from that of `seed` on, in which a planted bug is noticed.
    """
    for number in range(seeds):
        told = run_world(seed + number, MUTATION_PAYMENTS, plant=mutation.plant)
        if told.broken is not None:
            return told
    return None


if __name__ == "__main__":
    sys.exit(main())
