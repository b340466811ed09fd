"""
Measure notes, against plain signing with the same keys: `make bench-notes`.

    python -m bench.notes [--amounts N] [--charges N] [--json]

For every amount from EUR 0.01 to 50.00 (or N of them, evenly spread), the notes that pay it are prepared, signed
blindly, finished and verified, and each message is also signed plainly by `cryptography`, all in turns in one thread.
Times are of the processor, in milliseconds. `charge_ms` is a whole charge at the issuer, with its database, envelopes
and limits, of amounts drawn at random; the matchers' answers are made before. All keys are drawn for this run.

The last line of the output is one JSON object. The exit status is 1 where a note was not genuine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import cryptography
import gmpy2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.flows.issuing.scene import Scene

from handsel.errors import SignatureInvalid
from handsel.flows.issuing.approved import Approved
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import finalize, prepare
from handsel.notes.note import PADDING, note_message, verify_note
from handsel.notes.period import first_period

AMOUNT_MINOR_MAX = 50_00  # The most that is paid by palm alone.
CHARGES, CHARGES_MAX = 500, 1000  # Each is of a wallet of its own; the gallery takes no more palms.
SHARES = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
GOAL_MS = 8.0  # Of the issuer's processor, for one payment.
SEED = 9
T = TypeVar("T")
Times = dict[str, list[float]]


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print.
    """
    asked = parsed(argv)
    if not asked.json:
        print("making keys …", flush=True)
    now_ms = time.time_ns() // 1_000_000
    root = Ed25519PrivateKey.generate()
    keys = NoteKeys.generate(currency="EUR", period=first_period(now_ms), root=root)
    amounts = spread(asked.amounts)
    if not asked.json:
        print(f"{len(amounts)} amounts, then {asked.charges} charges …", flush=True)
    times: Times = defaultdict(list)
    try:
        for number, amount_minor in enumerate((amounts[-1], *amounts)):  # The first warms up.
            pay(keys, amount_minor, now_ms=now_ms, times=times if number else defaultdict(list))
        with tempfile.TemporaryDirectory() as directory:
            charge(keys, asked.charges, directory=Path(directory), now_ms=now_ms, times=times)
    except SignatureInvalid as exc:
        print(exc, file=sys.stderr)
        return 1
    figures = {name: summary(values) for name, values in times.items()}
    whole = {"amounts": len(amounts), "charges": asked.charges, "goal_ms": GOAL_MS, **figures, "machine": machine()}
    print(json.dumps(whole, allow_nan=False))
    return 0


def pay(keys: NoteKeys, amount_minor: int, *, now_ms: int, times: Times) -> None:
    """
    Make the notes of one payment, and write down what each step took.
    """
    public, private = keys.public(), {key.announced.key_id: key.private for key in keys.held()}
    began = time.thread_time()
    secrets, requests = prepare(amount_minor, currency="EUR", keys=public, random_bytes=os.urandom, now_ms=now_ms)
    times["blind_note_ms"].append((time.thread_time() - began) * 1000 / len(requests))
    payment_ms = plain_ms = 0.0
    for secret, request in zip(secrets, requests, strict=True):
        message, key = note_message(secret.serial, key_id=secret.key_id), private[secret.key_id]
        signature, signed_ms = timed(partial(keys.sign, request))
        _, note_plain_ms = timed(partial(key.sign, message, PADDING, hashes.SHA384()))
        note, finished_ms = timed(partial(finalize, secret, signature, keys=public))
        _, verified_ms = timed(partial(verify_note, note, keys=public))
        payment_ms, plain_ms = payment_ms + signed_ms, plain_ms + note_plain_ms
        times["sign_note_ms"].append(signed_ms)
        times["plain_sign_note_ms"].append(note_plain_ms)
        times["finalize_note_ms"].append(finished_ms)
        times["verify_note_ms"].append(verified_ms)
    times["sign_payment_ms"].append(payment_ms)
    times["plain_sign_payment_ms"].append(plain_ms)
    times["notes_per_payment"].append(len(requests))


def charge(keys: NoteKeys, charges: int, *, directory: Path, now_ms: int, times: Times) -> None:
    """
    Charge one wallet after another with amounts drawn at random, and write down what each took the issuer.
    """
    drawn = random.Random(SEED)  # noqa: S311 – amounts, no secrets
    scene = Scene(directory / "issuer", keys)
    scene.now_ms = now_ms
    for number in range(charges):
        scene.payer(str(number))
        shown = scene.show(str(number), drawn.randint(1, AMOUNT_MINOR_MAX))
        outcome, took_ms = timed(partial(scene.charge, shown))
        if not isinstance(outcome, Approved):
            raise SignatureInvalid("a charge was not approved")
        times["charge_ms"].append(took_ms)
        scene.now_ms += 1000
    scene.issuer.database.close()


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """
    Return what `act` returns, and how long this thread worked at it, in milliseconds.
    """
    began = time.thread_time()
    result = act()
    return result, (time.thread_time() - began) * 1000


def spread(count: int) -> tuple[int, ...]:
    """
    Return so many amounts, evenly spread up to the largest.
    """
    return tuple(-(-AMOUNT_MINOR_MAX * number // count) for number in range(1, count + 1))


def summary(values: Sequence[float]) -> dict[str, float]:
    """
    Return mean, median, 99th percentile and worst.
    """
    in_order = sorted(values)
    at = {name: in_order[min(int(share * len(in_order)), len(in_order) - 1)] for name, share in SHARES.items()}
    return {"mean": round(sum(values) / len(values), 4), **{name: round(value, 4) for name, value in at.items()}}


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """
    Return what was asked for.
    """
    parser = argparse.ArgumentParser(prog="bench.notes", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--amounts", type=int, default=AMOUNT_MINOR_MAX, help="how many amounts, evenly spread")
    parser.add_argument("--charges", type=int, default=CHARGES, help="how many whole charges, up to 1000")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args(argv)
    if not 1 <= asked.amounts <= AMOUNT_MINOR_MAX or not 1 <= asked.charges <= CHARGES_MAX:
        parser.error(f"amounts are 1 to {AMOUNT_MINOR_MAX}, charges 1 to {CHARGES_MAX}")
    return asked


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
        "gmp": gmpy2.mp_version(),
        "cryptography": cryptography.__version__,
    }


if __name__ == "__main__":
    sys.exit(main())
