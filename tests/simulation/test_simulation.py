"""
The short form of the simulation: a few small worlds in which nothing is lost, and a few planted bugs, which are found.

The long form is `make simulate`; all planted bugs are looked for by `python -m tests.simulation --mutations`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import find, main
from tests.simulation.harness import run_world
from tests.simulation.mutations import MUTATIONS

ROOT = Path(__file__).resolve().parents[2]

# Found by the first world, in a second or less: one of each part, and the bound of 30 s.
QUICK = (
    *("approve-unwritten", "paid-uncommitted", "paid-when-signed", "top-up-again", "one-sided", "seldom"),
    *("rest-kept", "tip-untold", "any-pin", "anothers-receipt-key", "next-wallet", "answered-by-promise"),
    *("last-step-left-out", "strays-to-anybody"),
)


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_nothing_is_lost_and_nothing_double(seed: int) -> None:
    told = run_world(seed, 100)

    assert told.broken is None, "\n".join(told.trace)
    assert told.counts["succeeded"] > 0
    assert told.counts["captures_succeeded"] > 0
    assert told.counts["pins"] + told.counts["approvals"] > 0
    assert told.counts["receipts"] > 0
    assert told.counts["by_receipt_succeeded"] > 0
    assert told.counts["disputes"] > 0
    assert told.counts["statements"] > 0
    assert told.counts["bank_pay_outs"] > 0


def test_the_same_with_real_keys_and_envelopes() -> None:
    told = run_world(9, 30, is_real=True)

    assert told.broken is None, "\n".join(told.trace)
    assert told.counts["succeeded"] > 0
    assert told.counts["captures_succeeded"] > 0
    assert told.counts["receipts"] > 0


def test_one_seed_makes_one_history() -> None:
    first, second, other = run_world(5, 40), run_world(5, 40), run_world(6, 40)

    assert first == second
    assert first.trace != other.trace


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    (mutation,) = (mutation for mutation in MUTATIONS if mutation.name == name)

    told = find(mutation, seed=1, seeds=1)
    assert told is not None
    assert told.broken


def test_the_command_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7", "--payments", "20", "--world", "10"]) == 0
    assert "seed 8: 10 payments; 20 in all" in capsys.readouterr().out
    assert main(["--mutations", "top-up-again"]) == 0
    assert "1 of 1 found" in capsys.readouterr().out
    assert main(["--mutations", "no-such-bug"]) == 2


def test_several_processes_run_worlds_beside_each_other() -> None:
    asked = ["--seed", "7", "--payments", "10", "--world", "5", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "nothing lost, nothing double: 10 payments" in done.stdout


def test_planted_bugs_are_many_and_have_names_of_their_own() -> None:
    assert len(MUTATIONS) >= 20
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
