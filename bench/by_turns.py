"""
Let three parties take turns in this thread, and say what each part of a query costs the slowest of them.

A part of the protocol is metered by putting a meter around its dialogue while this runs: it counts the time between
what the dialogue receives and what it asks for next, and the bytes that it sends.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps

from handsel.matching import party
from handsel.matching.convert import Lanes
from handsel.matching.dialogue import Agreement, Dialogue, Seat, Send, T
from handsel.matching.honest import Asked, nonsense_size
from handsel.matching.lockstep import Lockstep
from handsel.matching.masks import Masks, MaskStream
from handsel.matching.message import MATCHERS
from handsel.matching.party import Terms, match, shape_of
from handsel.matching.prepared import Prepared, Shape, prepare
from handsel.matching.reserve import pieces_of
from handsel.matching.rows import Rows
from handsel.matching.scale import WORD_BITS

# What is metered: the name that `party` calls it by, and the one in the figures.
METERED = {
    "require_one_query": "one_query",
    "require_honest_signs": "honest_signs",
    "signs": "signs",
    "signs_by": "signs",
    "prove_products": "products_proof",
}


@dataclass
class Meter:
    """
    Hold what the parts of a query cost all three matchers together.
    """

    work_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    sent_bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def around(self, name: str, dialogue: Dialogue[T]) -> Dialogue[T]:
        """
        Pass a dialogue on, and count.
        """
        begin_s = time.perf_counter()
        try:
            asked = next(dialogue)
            while True:
                self.work_s[name] += time.perf_counter() - begin_s
                if isinstance(asked, Send):
                    self.sent_bytes[name] += len(asked.payload)
                received = yield asked
                begin_s = time.perf_counter()
                asked = dialogue.send(received)
        except StopIteration as stop:
            self.work_s[name] += time.perf_counter() - begin_s
            result: T = stop.value
            return result


@contextmanager
def metered() -> Iterator[Meter]:
    """
    Give out a meter that counts while this lasts.
    """
    meter = Meter()
    before = {name: getattr(party, name) for name in (*METERED, "nonsense_words")}
    settle = Agreement.settle
    for name, part in METERED.items():
        setattr(party, name, _metered(meter, part, before[name]))
    setattr(party, "nonsense_words", _timed(meter, "nonsense_words", before["nonsense_words"]))  # noqa: B010
    setattr(Agreement, "settle", _metered(meter, "comparing", settle))  # noqa: B010
    try:
        yield meter
    finally:
        for name, function in before.items():
            setattr(party, name, function)
        setattr(Agreement, "settle", settle)  # noqa: B010


def alone(rows: Mapping[str, Rows], terms: Terms, asked: Mapping[str, Asked]) -> dict[str, float]:
    """
    Return the slowest party's own work, what the parts of it cost on the average, and the most that one sends.
    """
    comparisons, masks, took = rows["a"].padded * asked["a"].matched, fresh_masks(), {}
    prepared: Mapping[str, Prepared] = {}
    if terms.is_proved:
        vectors, dims = asked["a"].views.shape
        shape = shape_of(rows=rows["a"].padded, vectors=vectors, matched=asked["a"].matched, dims=dims, terms=terms)
        count = max(1, pieces_of(shape))
        ahead = Lockstep({name: prepared_ahead(name, masks[name], shape, count) for name in MATCHERS})
        prepared, masks = {name: pieces[0] for name, pieces in ahead.run().items()}, fresh_masks()
        took = {
            "ahead_ms": max(ahead.work_s.values()) * 1e3 / count,
            "ahead_bits_per_comparison": max(ahead.sent_bytes.values()) * 8 / comparisons / count,
        }
    with metered() as meter:
        run = Lockstep(
            {
                name: match(
                    name,
                    rows=rows[name],
                    asked=asked[name],
                    terms=terms,
                    masks=masks[name],
                    random_bytes=os.urandom,
                    prepared=prepared.get(name),
                )
                for name in MATCHERS
            }
        )
        run.run()
    sent = max(run.sent_bytes.values())
    return {
        "party_ms": max(run.work_s.values()) * 1e3,
        "sent_bytes": sent,
        "bits_per_comparison": sent * 8 / comparisons,
        **protections(meter, Lanes(nonsense_size(*asked["a"].views.shape), comparisons, terms.bits)),
        **took,
    }


def protections(meter: Meter, lanes: Lanes) -> dict[str, float]:
    """
    Return milliseconds and bytes of each protection, of one matcher on the average.

    Of the signs, the share of the nonsense check is that of its bits.
    """
    wide = lanes.wide * WORD_BITS
    share = wide / (wide + lanes.narrow * lanes.bits)
    work = {name: spent * 1e3 / len(MATCHERS) for name, spent in meter.work_s.items()}
    sent = {name: count / len(MATCHERS) for name, count in meter.sent_bytes.items()}
    checks = ("one_query", "honest_signs", "nonsense_words")
    found = {
        "nonsense_check_ms": sum(work.get(name, 0.0) for name in checks) + share * work["signs"],
        "nonsense_check_bytes": sum(sent.get(name, 0.0) for name in checks) + share * sent["signs"],
    }
    for name in ("products_proof", "comparing"):
        if name in work:
            found |= {f"{name}_ms": work[name], f"{name}_bytes": sent.get(name, 0.0)}
    return found


def fresh_masks() -> dict[str, Masks]:
    """
    Return the masks of one query, by matcher.
    """
    ab, bc, ca = (os.urandom(32) for _ in range(3))
    ring = {"a": (ab, ca), "b": (bc, ab), "c": (ca, bc)}
    return {name: Masks(after=MaskStream(after), before=MaskStream(before)) for name, (after, before) in ring.items()}


def prepared_ahead(name: str, masks: Masks, shape: Shape, count: int) -> Dialogue[list[Prepared]]:
    """
    Prepare `count` queries.
    """
    prepared = yield from prepare(Seat(name), shape.times(count), masks, os.urandom)
    return prepared.cut(count)


def _metered(meter: Meter, name: str, make: Callable[..., Dialogue[object]]) -> Callable[..., Dialogue[object]]:
    @wraps(make)
    def around(*given: object, **named: object) -> Dialogue[object]:
        return meter.around(name, make(*given, **named))

    return around


def _timed(meter: Meter, name: str, function: Callable[..., object]) -> Callable[..., object]:
    return partial(_count, meter, name, function)


def _count(meter: Meter, name: str, function: Callable[..., object], *given: object, **named: object) -> object:
    begin_s = time.perf_counter()
    found = function(*given, **named)
    meter.work_s[name] += time.perf_counter() - begin_s
    return found
