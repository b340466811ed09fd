"""
Write structured logs: one JSON object a line, with a closed list of fields.

A field that is not in `FIELDS` is refused, so that no palm, share, token, name or account can slip into a log by
accident. `request` is a random id made for the log alone; it is in no database.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from typing import TextIO

from handsel.clock import system_clock
from handsel.errors import ensure

FIELDS = frozenset(
    {
        "code",  # of an error, from errors.py
        "count",
        "duration_ms",
        "exception",  # the class of an unexpected one, never its text
        "method",
        "outcome",  # approved, declined, …
        "place",  # file and line of an unexpected exception
        "party",  # issuer, acquirer, till, matcher-a, …
        "reason",  # of a refusal, from an enum
        "request",  # random, for the log alone
        "route",  # the pattern (/v1/charges/{id}), never the address with its ids
        "rows",
        "status",
        "version",
    }
)

_write = threading.Lock()


class Log:
    """
    Write the events of one process, named by `party`, to `stream`.
    """

    def __init__(self, party: str, stream: TextIO | None = None) -> None:
        self.party = party
        self.stream = stream if stream is not None else sys.stderr

    def event(self, name: str, /, **fields: str | int | float | bool) -> None:
        """
        Write one event. Raises `InvariantBroken` for a field that is not in `FIELDS`.
        """
        unknown = sorted(set(fields) - FIELDS)
        ensure(not unknown, f"a log line may not carry {unknown}")
        line = json.dumps({"at_ms": system_clock(), "party": self.party, "event": name, **fields})
        with _write, contextlib.suppress(OSError):  # A full disk must not stop who has something to say about it.
            self.stream.write(line + "\n")
            self.stream.flush()
