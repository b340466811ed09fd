"""
Measure the blind match: the slowest matcher's own work, and three real processes end to end, against float32 BLAS.

    python bench/matching.py [--rows 10000] [--views 9] [--dims 432] [--repeats 20]

Matchers that are trusted to follow the protocol are measured beside those that prove every step; what is measured of
the latter begins with `active_`. The triples that prove a query are made before it: by processes between two queries,
while the measurement waits, and counted as `active_ahead_…`. Palms are random unit vectors. Everything runs interleaved
in one run, one thread per process. The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from handsel.certificate import make_certificate
from handsel.clock import system_clock
from handsel.envelope import open_envelope, seal
from handsel.keys import PartyKeys, PublicKeys
from handsel.log import Log
from handsel.matching.alias import split_alias
from handsel.matching.dialogue import Dialogue, Seat
from handsel.matching.entry import ACTIVE, Entry
from handsel.matching.gallery import Gallery
from handsel.matching.gates import Gates, Product
from handsel.matching.honest import Asked
from handsel.matching.kept import Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.matcher import Match, Matcher, Party
from handsel.matching.message import ANSWER, MATCHERS, QUERY, Answer, Query, combine
from handsel.matching.party import Terms, ands_of, match
from handsel.matching.peers import PeerAddress
from handsel.matching.rows import Rows
from handsel.matching.scale import threshold_to_int
from handsel.matching.split import split_query, split_rows, to_wire
from handsel.matching.template import quantise
from handsel.matching.triples import make_triples

THRESHOLD = 0.5
NEARNESS = 0.8  # Cosine of a probe's view with its enrolled palm.
SEED = 5
ANSWER_S_MAX = 60.0
QUIET_S = 0.05  # A process that has hardly worked for so long, and again and again, makes nothing ahead any more.
QUIET_TIMES = 3
QUIET_CPU_S_MAX = 0.002
IDLE_S_MAX = 60.0
SEMI_HONEST, ACTIVE_ONES = "semi_honest", "active"
PREFIXES = {SEMI_HONEST: "", ACTIVE_ONES: "active_"}
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trio:
    """
    Hold what three matchers of one kind are told, and where they keep their shares.
    """

    root: Path
    settings: Match
    issuer: PartyKeys
    keys: dict[str, PartyKeys]
    parties: dict[str, Party]


@dataclass(frozen=True)
class Bench:
    """
    Hold the palms in the clear, their aliases, and the matchers of both kinds.
    """

    palms: Floats  # (N, D)
    aliases: list[bytes]
    trios: dict[str, Trio]


@dataclass(frozen=True)
class Served:
    """
    Hold one matcher's process.
    """

    pipe: Connection
    start_s: float


def unit_rows(vectors: Floats) -> Floats:
    """
    Return the rows of `vectors`, each of norm 1.
    """
    units: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def product_ms(probe: Floats, palms: Floats) -> float:
    """
    Return how long float32 BLAS takes for the dot products of all views and palms.
    """
    begin_s = time.perf_counter()
    np.matmul(probe, palms.T)
    return (time.perf_counter() - begin_s) * 1e3


def resident_kb_max() -> int:
    """
    Return the most memory that this process ever had; `ru_maxrss` would count that of the process that started it.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def free_port() -> int:
    """
    Return a port of loopback on which nothing listens.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def public_party(name: str, keys: PartyKeys) -> Party:
    """
    Return what the others know of a matcher.
    """
    certificate = make_certificate(keys, name=f"matcher {name}", now_ms=system_clock())
    return Party(keys.public(), certificate, PeerAddress("127.0.0.1", free_port()))


def prepare(root: Path, *, rows: int, dims: int, views_max: int) -> Bench:
    """
    Draw palms, split them, and write three galleries for each kind of matchers.
    """
    generator = np.random.default_rng(SEED)
    palms = unit_rows(generator.standard_normal((rows, dims), dtype=np.float32))
    aliases = [generator.bytes(16) for _ in range(rows)]
    dealt: dict[str, list[tuple[bytes, Shares]]] = {name: [] for name in MATCHERS}
    for index, (template, alias) in enumerate(zip(quantise(palms), aliases, strict=True)):
        for name, share, part in zip(MATCHERS, split_rows(template), split_alias(alias), strict=True):
            dealt[name].append((index.to_bytes(16, "big"), Shares(to_wire(share), part.own, part.pair)))
    for name, enrolments in dealt.items():
        gallery = Gallery(root / SEMI_HONEST / name, me=name, dims=dims, palms_max=rows)
        gallery.keep_pending(enrolments, now_ms=0)
        gallery.advance([Entry(key, ACTIVE, position) for position, (key, _) in enumerate(enrolments)], now_ms=0)
        gallery.close()
    shutil.copytree(root / SEMI_HONEST, root / ACTIVE_ONES)
    settings = Match(dims, threshold_to_int(THRESHOLD), palms_max=rows, views_max=views_max, catches_cheaters=False)
    proving = replace(settings, catches_cheaters=True)
    trios = {kind: trio_of(root / kind, own) for kind, own in ((SEMI_HONEST, settings), (ACTIVE_ONES, proving))}
    return Bench(palms, aliases, trios)


def trio_of(root: Path, settings: Match) -> Trio:
    """
    Return three matchers with fresh keys and ports.
    """
    keys = {name: PartyKeys.generate() for name in MATCHERS}
    parties = {name: public_party(name, own) for name, own in keys.items()}
    return Trio(root, settings, PartyKeys.generate(), keys, parties)


def serve(
    name: str, root: Path, settings: Match, issuer: PublicKeys, parties: dict[str, Party], pipe: Connection
) -> None:
    """
    Be one matcher's process: answer envelopes from the pipe until it sends nothing.
    """
    begin_s = time.perf_counter()
    with (root / f"{name}.log").open("w") as stream:
        matcher = Matcher(
            name,
            keys=PartyKeys.load(root / f"{name}.keys"),
            issuer=issuer,
            parties=parties,
            directory=root / name,
            settings=settings,
            clock=system_clock,
            log=Log(name, stream),
        )
        matcher.start()
        pipe.send(time.perf_counter() - begin_s)
        while envelope := pipe.recv():
            begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
            answer = matcher.answer_query(envelope)
            pipe.send((answer, time.perf_counter() - begin_s, time.process_time() - begin_cpu_s))
            pipe.send(work_until_idle_s())
        matcher.close()
        pipe.send(resident_kb_max())


def work_until_idle_s() -> float:
    """
    Wait until this process does nothing more, and return the processor time that it took until then.
    """
    begin_cpu_s, deadline_s, quiet = time.process_time(), time.monotonic() + IDLE_S_MAX, 0
    while quiet < QUIET_TIMES and time.monotonic() < deadline_s:
        before_s = time.process_time()
        time.sleep(QUIET_S)
        quiet = quiet + 1 if time.process_time() - before_s < QUIET_CPU_S_MAX else 0
    return time.process_time() - begin_cpu_s


def start(trio: Trio) -> dict[str, Served]:
    """
    Start the three processes.
    """
    context, pipes = get_context("spawn"), {}
    for name in MATCHERS:
        trio.keys[name].save(trio.root / f"{name}.keys")
        pipes[name], theirs = context.Pipe()
        settled = (name, trio.root, trio.settings, trio.issuer.public(), trio.parties, theirs)
        context.Process(target=serve, args=settled, daemon=True).start()
    return {name: Served(pipe, pipe.recv()) for name, pipe in pipes.items()}


def probe_of(bench: Bench, generator: np.random.Generator, *, index: int, views: int) -> Floats:
    """
    Return `views` views, of which one is near palm `index`.
    """
    drawn = unit_rows(generator.standard_normal((views, bench.palms.shape[1]), dtype=np.float32))
    near = NEARNESS * bench.palms[index] + np.sqrt(1 - NEARNESS**2) * drawn[0]
    drawn[generator.integers(views)] = near / np.linalg.norm(near)
    return drawn


def asked_of(probe: Floats) -> dict[str, Asked]:
    """
    Return the shares of a probe, by matcher.
    """
    views = quantise(probe)
    shares = zip(MATCHERS, split_query(views), split_rows(views), strict=True)
    return {name: Asked(query, row, len(probe)) for name, query, row in shares}


def ask(trio: Trio, served: Mapping[str, Served], probe: Floats) -> tuple[bytes | None, dict[str, float]]:
    """
    Return the alias that the three processes find, and what it took.
    """
    query_id, binding = os.urandom(16), bytes(32)
    for name, asked in asked_of(probe).items():
        query = Query(query_id, binding, len(probe), to_wire(asked.views), to_wire(asked.rows))
        served[name].pipe.send(seal(query, to=trio.parties[name].keys, purpose=QUERY))
    answers = []
    for name in MATCHERS:
        if not served[name].pipe.poll(ANSWER_S_MAX):
            raise SystemExit(f"matcher {name} does not answer")
        answers.append(served[name].pipe.recv())
    ahead_s = max(served[name].pipe.recv() for name in MATCHERS)
    opened = tuple(open_envelope(sealed, Answer, keys=trio.issuer, purpose=ANSWER) for sealed, _, _ in answers)
    took = {
        "wall_ms": max(wall for _, wall, _ in answers) * 1e3,
        "process_cpu_ms": max(work for _, _, work in answers) * 1e3,
        "ahead_cpu_ms": ahead_s * 1e3,
    }
    return combine(opened, binding=binding), took


def fresh_masks() -> dict[str, Masks]:
    """
    Return the masks of one query, by matcher.
    """
    ab, bc, ca = (os.urandom(32) for _ in range(3))
    ring = {"a": (ab, ca), "b": (bc, ab), "c": (ca, bc)}
    return {name: Masks(after=MaskStream(after), before=MaskStream(before)) for name, (after, before) in ring.items()}


def triples_ahead(name: str, masks: Masks, count: int) -> Dialogue[Product]:
    """
    Make the triples that prove one query.
    """
    gates = Gates(Seat(name), masks)
    triples = yield from make_triples(gates, count, os.urandom)
    yield from gates.agreement.settle(gates.seat, random_bytes=os.urandom)
    return triples


def alone(rows: Mapping[str, Rows], terms: Terms, probe: Floats) -> dict[str, float]:
    """
    Return the slowest party's own work, with the parties taking turns in this thread, and the most that one sends.
    """
    asked, masks, took = asked_of(probe), fresh_masks(), {}
    triples: Mapping[str, Product] = {}
    if terms.is_proved:
        count = ands_of(rows=rows["a"].padded, asked=asked["a"], terms=terms)
        ahead = Lockstep({name: triples_ahead(name, masks[name], count) for name in MATCHERS})
        triples, masks = ahead.run(), fresh_masks()
        took = {
            "ahead_ms": max(ahead.work_s.values()) * 1e3,
            "ahead_bits_per_comparison": bits_per_comparison(ahead, rows, probe),
        }
    run = Lockstep(
        {
            name: match(
                name,
                rows=rows[name],
                asked=asked[name],
                terms=terms,
                masks=masks[name],
                random_bytes=os.urandom,
                triples=triples.get(name),
            )
            for name in MATCHERS
        }
    )
    run.run()
    sent = bits_per_comparison(run, rows, probe)
    return {"party_ms": max(run.work_s.values()) * 1e3, "bits_per_comparison": sent, **took}


def bits_per_comparison(run: Lockstep[bytes] | Lockstep[Product], rows: Mapping[str, Rows], probe: Floats) -> float:
    """
    Return what the party sends that sends the most.
    """
    return max(run.sent_bytes.values()) * 8 / (rows["a"].padded * len(probe))


def open_rows(trio: Trio) -> dict[str, Rows]:
    """
    Return the rows of all three, to let the parties take turns.
    """
    rows = {}
    for name in MATCHERS:
        gallery = Gallery(trio.root / name, me=name, dims=trio.settings.dims, palms_max=trio.settings.palms_max)
        rows[name] = gallery.rows()
        gallery.close()
    return rows


def measure(
    bench: Bench,
    served: Mapping[str, Mapping[str, Served]],
    rows: Mapping[str, Rows],
    *,
    views: int,
    repeats: int,
) -> dict[str, float]:
    """
    Return the medians of `repeats` rounds; in each, BLAS, the parties by turns and all processes see one probe.
    """
    generator, right = np.random.default_rng(SEED + 1), 0
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(repeats + 1):
        index = int(generator.integers(len(bench.palms)))
        probe = probe_of(bench, generator, index=index, views=views)
        took = {"float32_ms": product_ms(probe, bench.palms)}
        for kind, trio in bench.trios.items():
            worked = alone(rows, trio.settings.terms(), probe)
            alias, answered = ask(trio, served[kind], probe)
            right += alias == bench.aliases[index]
            took |= {PREFIXES[kind] + name: value for name, value in {**worked, **answered}.items()}
        if number:  # The first warms up.
            for name, value in took.items():
                taken[name].append(value)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return {**medians, **ratios(medians), "right": right / (len(bench.trios) * (repeats + 1))}


def ratios(medians: Mapping[str, float]) -> dict[str, float]:
    """
    Return how both kinds compare with BLAS, and with each other.
    """
    to_plain = {
        f"{prefix}{what}_over_float32": medians[f"{prefix}{what}_ms"] / medians["float32_ms"]
        for prefix in PREFIXES.values()
        for what in ("party", "wall")
    }
    to_trusting = {
        f"active_{what}_over_semi_honest": medians[f"active_{what}_ms"] / medians[f"{what}_ms"]
        for what in ("party", "wall")
    }
    return {**to_plain, **to_trusting}


def main() -> int:
    """
    Measure and print. The exit status is 1 where an answer was wrong.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    for name, default in (("rows", 10_000), ("views", 9), ("dims", 432), ("repeats", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(f"splitting {asked.rows} palms …", flush=True)
        bench = prepare(Path(place), rows=asked.rows, dims=asked.dims, views_max=max(asked.views, 9))
        rows = open_rows(bench.trios[SEMI_HONEST])
        print("starting three matchers of each kind …", flush=True)
        served = {kind: start(trio) for kind, trio in bench.trios.items()}
        figures = measure(bench, served, rows, views=asked.views, repeats=asked.repeats)
        for kind, prefix in PREFIXES.items():
            figures[f"{prefix}start_s"] = max(one.start_s for one in served[kind].values())
            for one in served[kind].values():
                one.pipe.send(b"")
            figures[f"{prefix}resident_mb_max"] = max(one.pipe.recv() for one in served[kind].values()) / 1024
    about = {"rows": asked.rows, "views": asked.views, "dims": asked.dims, "load": os.getloadavg()[0]}
    print(json.dumps({**about, **{name: round(value, 3) for name, value in figures.items()}}))
    return 0 if figures["right"] == 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
