"""
Logs: one JSON object a line, and no field that is not in the closed list.
"""

from __future__ import annotations

import io
import json
import threading

import pytest

from handsel.errors import InvariantBroken
from handsel.log import FIELDS, Log

THREADS = 8
LINES_EACH = 50


def test_an_event_is_one_line_of_json() -> None:
    stream = io.StringIO()

    Log("issuer", stream).event("charge", outcome="approved", duration_ms=12.5, status=200)

    line = json.loads(stream.getvalue())
    assert stream.getvalue().endswith("}\n") and stream.getvalue().count("\n") == 1
    assert line.pop("at_ms") > 0
    assert line == {
        "party": "issuer",
        "event": "charge",
        "outcome": "approved",
        "duration_ms": 12.5,
        "status": 200,
    }


@pytest.mark.parametrize(
    "field",
    ["account", "alias", "amount_minor", "charge_id", "ip", "merchant", "palm", "person", "share", "token", "url"],
)
def test_a_field_that_could_name_somebody_is_refused_and_nothing_is_written(field: str) -> None:
    stream = io.StringIO()

    with pytest.raises(InvariantBroken, match=field):
        Log("till", stream).event("charge", **{field: "x"})

    assert stream.getvalue() == ""


def test_a_refusal_names_the_field_and_not_its_value() -> None:
    with pytest.raises(InvariantBroken) as caught:
        Log("till", io.StringIO()).event("charge", token="very-secret")

    assert "very-secret" not in str(caught.value)


def test_every_listed_field_is_taken() -> None:
    stream = io.StringIO()

    Log("till", stream).event("everything", **dict.fromkeys(sorted(FIELDS), "x"))

    assert set(json.loads(stream.getvalue())) == FIELDS | {"at_ms", "event"}


def test_a_line_break_in_a_value_does_not_make_a_second_line() -> None:
    stream = io.StringIO()

    Log("till", stream).event("odd", reason='x\n{"event": "forged"}')

    assert len(stream.getvalue().splitlines()) == 1


def test_lines_of_several_threads_do_not_mix() -> None:
    stream = io.StringIO()
    log = Log("issuer", stream)

    def write() -> None:
        for number in range(LINES_EACH):
            log.event("tick", count=number)

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["tick"] * THREADS * LINES_EACH


def test_a_line_that_cannot_be_written_stops_nobody() -> None:
    """
    On a full disk the log falls silent; what is being done goes on.
    """

    class Full(io.StringIO):
        """
        Refuse every line, as a full disk does.
        """

        def write(self, text: str, /) -> int:
            """
            Refuse.
            """
            raise OSError(28, "No space left on device")

    Log("issuer", Full()).event("started")
