"""
Measure the steps of a payment and the memory of each process: `python bench/payment.py`.

Six real processes on this machine, drawn hands. Prints the median time of each step, from the first picture to the
screen that ends it, and each process's resident memory afterwards; as its last line one JSON object.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from handsel.wiring.demo import UNHURRIED, free_ports, set_up, start
from handsel.wiring.guests import drawn_guests
from handsel.wiring.serve import private_files_only
from handsel.wiring.story import Line, tell_story

PEOPLE, STRANGERS = 10, 4
KIB_PER_MIB = 1024


def main() -> None:
    """
    Tell the story once and print what it took.
    """
    private_files_only()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="handsel-bench-") as directory:
        ports = free_ports()
        demo = set_up(Path(directory), ports, till_limits=UNHURRIED)
        supervisor = start(demo, ports, lambda _: None)
        try:
            tally = tell_story(demo, *drawn_guests(PEOPLE, STRANGERS), lines.append)
            memory = {name: _resident_mib(supervisor.process_id(name)) for name in supervisor.names()}
        finally:
            supervisor.stop()
    steps = defaultdict(list)
    for line in lines:
        steps[line.step].append(line.elapsed_s)
    medians = {step: round(statistics.median(times), 3) for step, times in steps.items()}
    print(f"{tally.visits_paid} of {tally.visits} visits paid; median seconds of each step:")
    for step, median in medians.items():
        print(f"  {step:<14} {median:.2f} s   ({len(steps[step])} times)")
    print("resident memory: " + "   ".join(f"{name} {mib} MiB" for name, mib in memory.items()))
    print(json.dumps({"median_s": medians, "resident_mib": memory, "visits": tally.visits, "paid": tally.visits_paid}))


def _resident_mib(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return round(int(line.split()[1]) / KIB_PER_MIB)


if __name__ == "__main__":
    main()
