"""
Start several processes in order, watch them, and stop them in the opposite order.

A child lives in a session of its own, so that Ctrl-C reaches the supervisor alone, and holds the read end of a pipe:
when the supervisor dies, however it dies, the pipe closes and the child stops. What a child writes goes to a private
log file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from handsel.errors import PartyUnavailable

READY_S_MAX = 60.0  # The slowest part of a first start is compiling the ring kernels.
STOP_S_MAX = 8.0
ASK_S = 0.1
RESTARTS_MAX = 3  # One after another.
STEADY_S = 10.0  # Who has run for so long since its last start does not keep stopping.


@dataclass(frozen=True)
class Member:
    """
    Describe one process: how to start it, where it says that it is ready, where its log goes.
    """

    name: str
    command: tuple[str, ...]
    health_url: str
    log_path: Path
    environment: dict[str, str] = field(default_factory=dict)


class Supervisor:
    """
    Keep the processes of one machine.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._members: dict[str, Member] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, int] = {}
        self._ready_s: dict[str, float] = {}

    def start(self, members: Iterable[Member]) -> None:
        """
        Start `members` together and wait until each is ready. Raises `PartyUnavailable`.
        """
        batch = list(members)
        started = time.monotonic()
        for member in batch:
            self._members[member.name] = member
            self._running[member.name] = self._spawn(member)
        for member in batch:
            self._wait_until_ready(member, started + READY_S_MAX)
            self._say(f"  {member.name:<10} ready after {time.monotonic() - started:.1f} s")

    def watch(self) -> None:
        """
        Start again what has died. Raises `PartyUnavailable` for what dies more than `RESTARTS_MAX` times, each time
        before it has run for `STEADY_S`.
        """
        for name, running in list(self._running.items()):
            code = running.poll()
            if code is None:
                continue
            member = self._members[name]
            is_steady = time.monotonic() - self._ready_s.get(name, 0.0) >= STEADY_S
            self._restarts[name] = 1 if is_steady else self._restarts.get(name, 0) + 1
            if self._restarts[name] > RESTARTS_MAX:
                raise PartyUnavailable(f"{name} keeps stopping: see {member.log_path}")
            _close_input(running)
            self._say(f"  {name} has stopped (exit status {code}); starting it again")
            self._running[name] = self._spawn(member)
            self._wait_until_ready(member, time.monotonic() + READY_S_MAX)
            self._say(f"  {name} is back")

    def kill_member(self, name: str) -> None:
        """
        Kill one process as a crash would, and leave it dead.
        """
        running = self._running.pop(name)
        running.kill()
        running.wait(STOP_S_MAX)
        _close_input(running)

    def restart_member(self, name: str) -> None:
        """
        Start a process that `kill_member` killed.
        """
        self.start([self._members[name]])

    def process_id(self, name: str) -> int:
        """
        Return the operating system's id of a running member.
        """
        return self._running[name].pid

    def names(self) -> tuple[str, ...]:
        """
        Return who runs, in the order in which they were started.
        """
        return tuple(self._running)

    def stop(self) -> None:
        """
        Stop everything, the last started first.
        """
        for name in reversed(list(self._running)):
            _end(self._running.pop(name))

    def _spawn(self, member: Member) -> subprocess.Popen[bytes]:
        descriptor = os.open(member.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 – the command is our own
                member.command,
                stdin=subprocess.PIPE,
                stdout=descriptor,
                stderr=descriptor,
                env={**os.environ, **member.environment},
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    def _wait_until_ready(self, member: Member, deadline: float) -> None:
        running = self._running[member.name]
        while time.monotonic() < deadline:
            if running.poll() is not None:
                raise PartyUnavailable(f"{member.name} stopped while starting: {_last_line(member.log_path)}")
            try:
                if httpx.get(member.health_url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK:
                    self._ready_s[member.name] = time.monotonic()
                    return
            except httpx.TransportError:
                pass
            time.sleep(ASK_S)
        raise PartyUnavailable(f"{member.name} was not ready after {READY_S_MAX:.0f} s: see {member.log_path}")


def _end(running: subprocess.Popen[bytes]) -> None:
    _close_input(running)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            running.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            running.send_signal(sign)
        else:
            return
    running.wait(STOP_S_MAX)


def _close_input(running: subprocess.Popen[bytes]) -> None:
    if running.stdin is not None:
        running.stdin.close()


def _last_line(log_path: Path) -> str:
    lines = log_path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
