"""
Build a till around fakes. A till can be built a second time on the same directory: that is a restart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from handsel.config import AttackHintSetting
from handsel.log import Log
from handsel.order import Way
from handsel.till.agent import Agent
from handsel.till.agent_state import AgentState
from handsel.till.journal import Journal
from handsel.till.light import Light
from tests.till.fakes import THRESHOLD, FakeAcquirer, FakeReader, Keyring, Stream, Ticker, picture, reading

RECEIPTS_URL = "https://acquirer.example/receipts"
POLLS_MAX = 60
FRAMES_MAX = 12


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """
    Return the keys of all parties, made once: RSA keys take time.
    """
    return Keyring.generate()


@dataclass
class Till:
    """
    Hold one till with everything around it, and do what its page and its loop do.
    """

    keyring: Keyring
    directory: Path
    acquirer: FakeAcquirer
    reader: FakeReader = field(default_factory=FakeReader)
    clock: Ticker = field(default_factory=Ticker)
    random: Stream = field(default_factory=Stream)
    log: io.StringIO = field(default_factory=io.StringIO)
    attack_hint: AttackHintSetting = AttackHintSetting.ASK
    lights: tuple[Light, ...] = ()
    ways: tuple[Way, ...] = (Way.OPEN_HAND, Way.HELD_KEY)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """
        Start the agent, on what the one before left on disk.
        """
        self.journal = Journal.open(self.directory / "journal.json")
        self.agent = Agent(
            reader=self.reader,
            acquirer=self.acquirer,
            journal=self.journal,
            parties=self.keyring.parties(),
            till=self.keyring.till.public(),
            receipts_url=RECEIPTS_URL,
            clock=self.clock,
            log=Log("till", self.log),
            random_bytes=self.random,
            attack_hint=self.attack_hint,
            lights=self.lights,
            ways=self.ways,
            held_threshold=THRESHOLD,
        )

    def show(self, number: int = 0) -> AgentState:
        """
        Send one frame, as the page does.
        """
        return self.send(picture(number))

    def send(self, content: bytes) -> AgentState:
        """
        Send one frame that was taken in the light that is asked for.
        """
        state = self.agent.state()
        return self.agent.see(content, session=state.session, light=state.light)

    def hold_out(self, person: int) -> AgentState:
        """
        Hold out a hand until no more frames are wanted.
        """
        for shot in range(FRAMES_MAX):
            self.reader.sights = [reading(person, shot=shot)]
            state = self.show(shot)
            if not state.wants_frames:
                return state
        raise AssertionError("the till wants more frames than anybody would show")

    def cancel(self) -> AgentState:
        """
        Press that button, on the screen that is there.
        """
        return self.agent.cancel(session=self.agent.state().session)

    def retry(self) -> AgentState:
        """
        Press that button, on the screen that is there.
        """
        return self.agent.retry(session=self.agent.state().session)

    def poll_until(self, screen: str, *, ms: int = 1_000) -> AgentState:
        """
        Poll, letting time pass, until a screen is there.
        """
        for _ in range(POLLS_MAX):
            state = self.agent.poll()
            if state.screen == screen:
                return state
            self.clock.pass_ms(ms)
        raise AssertionError(f"the till still shows {state.screen}, not {screen}")


@pytest.fixture
def till(keyring: Keyring, tmp_path: Path) -> Iterator[Till]:
    """
    Return a till that is asked for nothing yet.
    """
    yield Till(keyring, tmp_path / "till", FakeAcquirer(keyring))
