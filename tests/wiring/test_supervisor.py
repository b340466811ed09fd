"""
The supervisor starts, watches and stops real processes, and leaves none behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from handsel.errors import PartyUnavailable
from handsel.wiring import supervisor as watching
from handsel.wiring.supervisor import RESTARTS_MAX, Member, Supervisor

SMALL_SERVER = Path(__file__).with_name("small_server.py")
WAIT_S_MAX = 10.0


def free_port() -> int:
    """
    Return a port that nobody listens on just now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def small_member(directory: Path, name: str, *flags: str) -> Member:
    """
    Return a member that runs the small server.
    """
    port = free_port()
    command = (sys.executable, str(SMALL_SERVER), str(port), *flags)
    return Member(name, command, f"http://127.0.0.1:{port}/", directory / f"{name}.log")


def is_running(process_id: int) -> bool:
    """
    Return whether a process exists and is not a zombie.
    """
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(process_id: int) -> bool:
    """
    Return whether a process ends within the bound.
    """
    deadline = time.monotonic() + WAIT_S_MAX
    while is_running(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(process_id)


def watch_until(supervisor: Supervisor, is_reached: Callable[[], bool]) -> None:
    """
    Let the supervisor look after its members until something is so, or time is up.
    """
    deadline = time.monotonic() + WAIT_S_MAX
    while not is_reached() and time.monotonic() < deadline:
        supervisor.watch()
        time.sleep(0.02)


def has_another_id(supervisor: Supervisor, process_id: int) -> bool:
    """
    Return whether the member runs as another process now.
    """
    return supervisor.process_id("one") != process_id


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """
    Give a supervisor, and stop what it started.
    """
    made = Supervisor(say=lambda _: None)
    yield made
    made.stop()


def test_members_are_ready_when_start_returns_and_gone_when_stop_does(supervisor: Supervisor, tmp_path: Path) -> None:
    """
    Start waits for readiness; stop leaves no process.
    """
    supervisor.start([small_member(tmp_path, "one"), small_member(tmp_path, "two")])
    ids = [supervisor.process_id(name) for name in supervisor.names()]
    ran = [is_running(process_id) for process_id in ids]

    supervisor.stop()

    assert ran == [True, True]
    assert [is_running(process_id) for process_id in ids] == [False, False]


def test_a_member_that_does_not_listen_to_stdin_is_terminated(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Closing standard input is the polite way; a signal follows.
    """
    monkeypatch.setattr("handsel.wiring.supervisor.STOP_S_MAX", 0.2)
    supervisor.start([small_member(tmp_path, "deaf", "--deaf")])
    process_id = supervisor.process_id("deaf")

    supervisor.stop()

    assert not is_running(process_id)


def test_a_member_that_dies_while_starting_is_named_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    """
    The message says who and why.
    """
    command = (sys.executable, "-c", "raise SystemExit('the settings are wrong')")
    member = Member("issuer", command, "http://127.0.0.1:9/", tmp_path / "issuer.log")

    with pytest.raises(PartyUnavailable, match=r"issuer stopped while starting: the settings are wrong"):
        supervisor.start([member])


def test_a_member_that_died_is_started_again_and_given_up_at_last(supervisor: Supervisor, tmp_path: Path) -> None:
    """
    Watching heals, but not for ever.
    """
    supervisor.start([small_member(tmp_path, "one")])

    for _ in range(RESTARTS_MAX):
        dead = supervisor.process_id("one")
        os.kill(dead, signal.SIGKILL)
        watch_until(supervisor, partial(has_another_id, supervisor, dead))
        assert is_running(supervisor.process_id("one"))

    os.kill(supervisor.process_id("one"), signal.SIGKILL)
    with pytest.raises(PartyUnavailable, match="keeps stopping"):
        watch_until(supervisor, lambda: False)


def test_a_proxy_of_the_environment_is_not_asked_for_a_neighbour(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The parties of one machine are asked directly.
    """
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setattr("handsel.wiring.supervisor.READY_S_MAX", WAIT_S_MAX)

    supervisor.start([small_member(tmp_path, "one")])

    assert supervisor.names() == ("one",)


def test_logs_are_private(supervisor: Supervisor, tmp_path: Path) -> None:
    """
    What a process writes is for its owner alone.
    """
    supervisor.start([small_member(tmp_path, "one")])

    assert (tmp_path / "one.log").stat().st_mode & 0o777 == 0o600


def test_no_orphan_stays_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """
    A killed supervisor cannot stop its children; they notice by themselves.
    """
    port = free_port()
    script = f"""
import sys, time
from pathlib import Path
from handsel.wiring.supervisor import Member, Supervisor
supervisor = Supervisor(say=lambda _: None)
supervisor.start([Member("one", {(sys.executable, str(SMALL_SERVER), str(port))!r},
                         "http://127.0.0.1:{port}/", Path({str(tmp_path / "one.log")!r}))])
print(supervisor.process_id("one"), flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        ran = is_running(child)
        parent.kill()

        assert ran
        assert wait_until_gone(child)


def test_who_has_run_steadily_is_started_again_however_often(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "STEADY_S", 0.0)
    supervisor.start([small_member(tmp_path, "one")])

    for _ in range(RESTARTS_MAX + 1):
        dead = supervisor.process_id("one")
        os.kill(dead, signal.SIGKILL)
        watch_until(supervisor, partial(has_another_id, supervisor, dead))
    assert is_running(supervisor.process_id("one"))
