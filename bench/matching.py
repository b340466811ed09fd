"""
Measure the blind match: the slowest matcher's own work, and three real processes end to end, against float32 BLAS.

    python bench/matching.py [--rows 10000] [--views 9] [--dims 432] [--repeats 20]

Palms are random unit vectors. Everything runs interleaved in one run, one thread per process. The last line of the
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from handsel.clock import system_clock
from handsel.envelope import open_envelope, seal
from handsel.keys import PartyKeys, PublicKeys
from handsel.log import Log
from handsel.matching.alias import split_alias
from handsel.matching.entry import ACTIVE, Entry
from handsel.matching.gallery import Gallery, Shares
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.matcher import Match, Matcher, Party
from handsel.matching.message import ANSWER, MATCHERS, QUERY, Answer, Query, combine
from handsel.matching.party import match
from handsel.matching.peers import PeerAddress
from handsel.matching.rows import Rows
from handsel.matching.scale import threshold_to_int
from handsel.matching.split import split_query, split_template, to_wire
from handsel.matching.template import quantise

THRESHOLD = 0.5
NEARNESS = 0.8  # Cosine of a probe's view with its enrolled palm.
SEED = 5
ANSWER_S_MAX = 60.0
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Bench:
    """
    Hold the palms in the clear, their aliases, and where the three matchers keep their shares.
    """

    root: Path
    palms: Floats  # (N, D)
    aliases: list[bytes]
    settings: Match
    issuer: PartyKeys
    parties: dict[str, Party]


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


def prepare(root: Path, *, rows: int, dims: int, views_max: int) -> tuple[Bench, dict[str, PartyKeys]]:
    """
    Draw palms, split them, and write the three galleries.
    """
    generator = np.random.default_rng(SEED)
    palms = unit_rows(generator.standard_normal((rows, dims), dtype=np.float32))
    aliases = [generator.bytes(16) for _ in range(rows)]
    dealt: dict[str, list[tuple[bytes, Shares]]] = {name: [] for name in MATCHERS}
    for index, (template, alias) in enumerate(zip(quantise(palms), aliases, strict=True)):
        for name, share, part in zip(MATCHERS, split_template(template), split_alias(alias), strict=True):
            dealt[name].append((index.to_bytes(16, "big"), Shares(to_wire(share), part.own, part.pair)))
    for name, enrolments in dealt.items():
        gallery = Gallery(root / name, dims=dims, palms_max=rows)
        gallery.keep_pending(enrolments, now_ms=0)
        gallery.advance([Entry(key, ACTIVE, position) for position, (key, _) in enumerate(enrolments)], now_ms=0)
        gallery.close()
    keys = {name: PartyKeys.generate() for name in MATCHERS}
    parties = {name: Party(own.public(), PeerAddress("127.0.0.1", free_port())) for name, own in keys.items()}
    settings = Match(dims, threshold_to_int(THRESHOLD), palms_max=rows, views_max=views_max)
    return Bench(root, palms, aliases, settings, PartyKeys.generate(), parties), keys


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
        matcher.close()
        pipe.send(resident_kb_max())


def start(bench: Bench, keys: dict[str, PartyKeys]) -> dict[str, Served]:
    """
    Start the three processes.
    """
    context, pipes = get_context("spawn"), {}
    for name in MATCHERS:
        keys[name].save(bench.root / f"{name}.keys")
        pipes[name], theirs = context.Pipe()
        settled = (name, bench.root, bench.settings, bench.issuer.public(), bench.parties, theirs)
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


def ask(bench: Bench, served: dict[str, Served], probe: Floats) -> tuple[bytes | None, float, float]:
    """
    Return the alias that the three processes find, the wall time of the slowest and the most processor time, in ms.
    """
    query_id, binding = os.urandom(16), bytes(32)
    for name, share in zip(MATCHERS, split_query(quantise(probe)), strict=True):
        query = Query(query_id, binding, len(probe), to_wire(share))
        served[name].pipe.send(seal(query, to=bench.parties[name].keys, purpose=QUERY))
    answers = []
    for name in MATCHERS:
        if not served[name].pipe.poll(ANSWER_S_MAX):
            raise SystemExit(f"matcher {name} does not answer")
        answers.append(served[name].pipe.recv())
    opened = tuple(open_envelope(sealed, Answer, keys=bench.issuer, purpose=ANSWER) for sealed, _, _ in answers)
    walls, works = [wall for _, wall, _ in answers], [work for _, _, work in answers]
    return combine(opened, binding=binding), max(walls) * 1e3, max(works) * 1e3


def alone(rows: dict[str, Rows], threshold: int, probe: Floats) -> tuple[float, float]:
    """
    Return the slowest party's own work in ms, with the parties taking turns in this thread, and the most bytes sent.
    """
    ab, bc, ca = (os.urandom(32) for _ in range(3))
    ring = {"a": (ab, ca), "b": (bc, ab), "c": (ca, bc)}
    shares = dict(zip(MATCHERS, split_query(quantise(probe)), strict=True))
    run = Lockstep(
        {
            name: match(
                name,
                rows=rows[name],
                query=shares[name],
                threshold=threshold,
                masks=Masks(after=MaskStream(ring[name][0]), before=MaskStream(ring[name][1])),
            )
            for name in MATCHERS
        }
    )
    run.run()
    return max(run.work_s.values()) * 1e3, max(run.sent_bytes.values())


def open_rows(bench: Bench) -> dict[str, Rows]:
    """
    Return the rows of all three, to let the parties take turns.
    """
    rows = {}
    for name in MATCHERS:
        gallery = Gallery(bench.root / name, dims=bench.settings.dims, palms_max=bench.settings.palms_max)
        rows[name] = gallery.rows()
        gallery.close()
    return rows


def measure(
    bench: Bench, served: dict[str, Served], rows: dict[str, Rows], *, views: int, repeats: int
) -> dict[str, float]:
    """
    Return the medians of `repeats` rounds; in each, BLAS, the parties by turns and the three processes see one probe.
    """
    generator = np.random.default_rng(SEED + 1)
    plain, party, wall, work, right, sent = [], [], [], [], 0, 0.0
    for number in range(repeats + 1):
        index = int(generator.integers(len(bench.palms)))
        probe = probe_of(bench, generator, index=index, views=views)
        plain_ms = product_ms(probe, bench.palms)
        party_ms, sent = alone(rows, bench.settings.threshold, probe)
        alias, wall_ms, work_ms = ask(bench, served, probe)
        right += alias == bench.aliases[index]
        if number:  # The first warms up.
            plain.append(plain_ms)
            party.append(party_ms)
            wall.append(wall_ms)
            work.append(work_ms)
    medians = [statistics.median(times) for times in (plain, party, wall, work)]
    return {
        "float32_ms": medians[0],
        "party_ms": medians[1],
        "wall_ms": medians[2],
        "process_cpu_ms": medians[3],
        "party_over_float32": medians[1] / medians[0],
        "wall_over_float32": medians[2] / medians[0],
        "bits_per_comparison": sent * 8 / (len(rows["a"].templates) * views),
        "right": right / (repeats + 1),
    }


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
        bench, keys = prepare(Path(place), rows=asked.rows, dims=asked.dims, views_max=max(asked.views, 9))
        rows = open_rows(bench)
        print("starting three matchers …", flush=True)
        served = start(bench, keys)
        figures = measure(bench, served, rows, views=asked.views, repeats=asked.repeats)
        figures["start_s"] = max(one.start_s for one in served.values())
        for one in served.values():
            one.pipe.send(b"")
        figures["resident_mb_max"] = max(one.pipe.recv() for one in served.values()) / 1024
    about = {"rows": asked.rows, "views": asked.views, "dims": asked.dims, "load": os.getloadavg()[0]}
    print(json.dumps({**about, **{name: round(value, 3) for name, value in figures.items()}}))
    return 0 if figures["right"] == 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
