"""
Run worlds: put the simulated parts in place, make a world of each seed, and say what came of it.
"""

from __future__ import annotations

import concurrent.futures
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import StoreFull
from handsel.flows.acquiring import ask_matchers
from handsel.notes import announce
from handsel.notes.issue import NoteKeys
from handsel.till import agent, journal, see_frame
from handsel.till.acquirer import Acquirer
from handsel.till.settle import OpenRequest, Outcome, settle
from tests.notes.fresh_keys import fresh_note_keys
from tests.simulation.disk import replace_file
from tests.simulation.light import lighten, small_note_keys
from tests.simulation.patches import Patches, patched
from tests.simulation.till_party import AcquirerPort
from tests.simulation.world import Violation, World

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Told:
    """
    Say what came of one world.
    """

    seed: int
    payments: int
    broken: str | None
    trace: tuple[str, ...]
    counts: Counter[str]


class OneAfterTheOther(concurrent.futures.ThreadPoolExecutor):
    """
    Be a pool of threads without threads.
    """

    def map(self, act: Callable[..., T], *values: object, **_: object) -> Iterator[T]:  # type: ignore[override]
        (one,) = values
        return iter([act(each) for each in one])  # type: ignore[attr-defined]


def run_world(
    seed: int, payments: int, *, is_real: bool = False, plant: Callable[[Patches], None] | None = None
) -> Told:
    """
    Run one world of so many payments. `plant` may put a wrong function in the place of a right one.
    """
    with patched() as patches, _fast_directory() as directory:
        keys = _put_in_place(patches, is_real=is_real)
        world = World(seed, Path(directory), keys)
        patches.put(agent, "settle", _overheard(world))
        patches.put(journal, "replace_private_file", _on_disk_of_till(world))
        if plant is not None:
            plant(patches)
        broken = None
        try:
            world.run(payments)
        except Violation as exc:
            broken = str(exc)
        finally:
            world.schedule.end()
        return Told(seed, world.payments_begun, broken, tuple(_lines(world)), world.counts)


def run_job(job: tuple[int, int, bool]) -> Told:
    """
    Run a world in a process of its own, which knows this module, and not the one that was started.
    """
    seed, payments, is_real = job
    return run_world(seed, payments, is_real=is_real)


def _fast_directory() -> tempfile.TemporaryDirectory[str]:
    # In memory, where the machine has such a place.
    memory = Path("/dev/shm")  # noqa: S108
    return tempfile.TemporaryDirectory(prefix="handsel-simulation-", dir=memory if memory.is_dir() else None)


def _put_in_place(patches: Patches, *, is_real: bool) -> Callable[[Ed25519PrivateKey], NoteKeys]:
    patches.put(see_frame, "decode_frame", lambda content: content)
    patches.put(announce, "replace_private_file", replace_file)
    patches.put(ask_matchers, "ThreadPoolExecutor", OneAfterTheOther)
    if is_real:
        return lambda root: NoteKeys(_real_keys().held(), root=root)
    lighten(patches)
    return lambda root: small_note_keys(root, currency="EUR")


@cache
def _real_keys() -> NoteKeys:
    return fresh_note_keys()


def _overheard(world: World) -> Callable[..., Outcome]:
    def overheard(acquirer: Acquirer, request: OpenRequest, *, now_ms: int) -> Outcome:
        outcome = settle(acquirer, request, now_ms=now_ms)
        assert isinstance(acquirer, AcquirerPort)
        world.trace("settled", acquirer.process.name, request.id[:8], type(outcome).__name__)
        world.truth.told(request, outcome)
        world.truth.receipts.told(acquirer.process, request.id, outcome)
        return outcome

    return overheard


def _on_disk_of_till(world: World) -> Callable[[Path, bytes], None]:
    def replace(path: Path, content: bytes) -> None:
        till = next(till for till in world.tills if till.journal_path == path)
        till.may_crash(world.plan.crash_before_commit)
        if till.is_full():
            raise StoreFull("no space is left")
        till.journal = content
        till.may_crash(world.plan.crash_after_commit)

    return replace


def _lines(world: World) -> Iterator[str]:
    for at_ms, words in world.events:
        yield f"{at_ms / 1000 - 1_800_000_000:12.3f} s  {' '.join(str(word) for word in words)}"
