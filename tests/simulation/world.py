"""
Put a whole small world together: an issuer, two acquirers, shops with tills, customers. One seed makes one history.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.certificate import make_certificate
from handsel.config import MatcherParty, Parties
from handsel.keys import PartyKeys
from handsel.matching.message import MATCHERS
from handsel.notes.issue import NoteKeys
from handsel.pay.merchant import Merchant, Till
from tests.flows.acquiring.plain_matchers import PlainMatchers
from tests.simulation.acquirer_party import AcquirerProcess
from tests.simulation.actors import actors
from tests.simulation.actors.misfortune import strike_last
from tests.simulation.bank import Bank
from tests.simulation.calm import settle_down
from tests.simulation.issuer_party import IssuerProcess
from tests.simulation.network import Network
from tests.simulation.operators import operators_of
from tests.simulation.plan import CALM, Plan
from tests.simulation.process import Process
from tests.simulation.reserved import HOLD_MS_MAX
from tests.simulation.schedule import Schedule
from tests.simulation.set_up import enrol_customers
from tests.simulation.till_party import PALMS_MAX, THRESHOLD, TillProcess
from tests.simulation.tree import Trees
from tests.simulation.truth import Truth

T = TypeVar("T")

BEGIN_MS = 1_800_000_000_000
TRACE_MAX = 400
PAYMENTS_BETWEEN_CALMS = 50
ROUNDS_UNTIL_ALL_ENDS = 4
CUSTOMERS = 6
HOLDS_MS = (8_000, 20_000, HOLD_MS_MAX)  # For how long at most a sum is reserved, in one world.
BUSY_MS_MAX = 3_600_000.0  # From one calm to the next; it takes minutes.
LONG_SHARE, LONG_MS_MAX = 0.2, 4_000.0  # Of those who wait for their turn.
JUDGED_PAYMENTS_MIN = 100  # Of fewer, none need succeed.
SUCCEEDED_MIN = 0.07  # A world in which nobody can pay breaks no other rule.


class Violation(Exception):
    """
    Say that something is not as it must be, after so many payments.
    """


class People(Process):
    """
    Own the tasks of people. They do not crash.
    """

    def may_crash(self, chance: float) -> None:
        return None


class World:
    """
    Hold everybody, and what happens to them.
    """

    def __init__(self, seed: int, directory: Path, note_keys: Callable[[Ed25519PrivateKey], NoteKeys]) -> None:
        self.seed = seed
        self.rng = random.Random(seed)  # noqa: S311
        self.schedule = Schedule(self.rng, now_ms=BEGIN_MS)
        self.plan = CALM
        self.trouble = Plan.draw(self.rng)
        self.counts: Counter[str] = Counter()
        self.events: deque[tuple[float, tuple[object, ...]]] = deque(maxlen=TRACE_MAX)
        self.broken: str | None = None
        self.payments_begun = 0
        self.hold_ms = self.rng.choice(HOLDS_MS)
        self.is_calm = True
        self.is_closing = False  # Nobody new is served, and who is being served goes on.
        self.last_palm = 0
        self.wallets: dict[int, str] = {}  # Of each palm that is enrolled.
        self.codes: dict[str, str] = {}  # The return code of each payment, as the customer was shown it.
        self.truth = Truth(self)
        self.trees = Trees(self)
        self.network = Network(self)
        self.bank = Bank(self)
        root = Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32))
        keys = note_keys(root)
        self.root = keys.root()
        self.worth = {key.key_id: key.denomination_minor for key in keys.public().keys}
        issuer_keys, matcher_keys = self._keys(), {name: self._keys() for name in MATCHERS}
        parties = {
            name: MatcherParty(one.public(), make_certificate(one, name=name, now_ms=0), "localhost", 1)
            for name, one in matcher_keys.items()
        }
        self.parties = Parties(issuer_keys.public(), parties, PALMS_MAX, THRESHOLD, palms_max=1000, fpir=1e-3)
        self.matchers = PlainMatchers(matcher_keys, issuer_keys.public())
        self.issuer = IssuerProcess(self, keys=issuer_keys, note_keys=keys, matchers=matcher_keys)
        self.acquirers = tuple(self._acquirer(number, directory) for number in (1, 2))
        self.tills = tuple(
            TillProcess(self, till, acquirer, keys=self._keys().public(), directory=directory)
            for acquirer in self.acquirers
            for _, till in acquirer.shops
        )
        self.people = People(self, "people")
        for process in (self.people, *self.processes):
            process.start()
        enrol_customers(self, count=CUSTOMERS)
        self.operators = operators_of(self)
        for act in actors(self):
            self.schedule.start(self.people, act)

    @property
    def processes(self) -> tuple[Process, ...]:
        return (self.issuer, *self.acquirers, *self.tills)

    def run(self, payments: int) -> None:
        """
        Let so many payments be tried, with trouble and calm in turn. Raises `Violation`.
        """
        rounds = 0
        while self.payments_begun < payments and self.broken is None:
            rounds += 1
            self.plan, self.is_calm = self.trouble, False
            self._let_pay(min(payments, self.payments_begun + PAYMENTS_BETWEEN_CALMS))
            if self.broken is None:
                strike_last(self)
                self.plan, self.is_calm = CALM, True
                is_last = rounds % ROUNDS_UNTIL_ALL_ENDS == 0 or self.payments_begun >= payments
                settle_down(self, is_last=is_last)
        if self.broken is None and payments >= JUDGED_PAYMENTS_MIN:
            share = len(self.truth.debits) / payments
            self.truth.require(share >= SUCCEEDED_MIN, f"only {share:.0%} of all payments succeeded")
        if self.broken is not None:
            raise Violation(self.broken)

    def _let_pay(self, until: int) -> None:
        """
        Let things happen until so many payments were begun, or something is broken.
        """
        until_ms = self.schedule.now_ms + BUSY_MS_MAX
        self.schedule.run_while(
            lambda: self.payments_begun < until and self.broken is None and self.schedule.now_ms < until_ms
        )
        if self.payments_begun < until:
            self.violated("nobody asks to be paid any more")

    def hesitate(self) -> None:
        """
        Let others go first, now and then.
        """
        if self.plan.slow and self.schedule.in_task() and self.rng.random() < self.plan.slow:
            is_long = self.rng.random() < LONG_SHARE
            self.schedule.sleep(self.rng.uniform(0, LONG_MS_MAX) if is_long else self.rng.expovariate(1 / 15.0))

    def inside(self, process: Process, act: Callable[[], T]) -> T | None:
        """
        Do something in a process, as a page in front of it does; None where the process is down or dies.
        """
        if not process.is_up:
            return None
        found: list[T] = []
        task = self.schedule.current()
        wait = task.wait

        def do() -> None:
            process.guarded(lambda: found.append(act()))
            self.schedule.wake(task, wait, None)

        self.schedule.start(process, do)
        self.schedule.wait_quietly(60_000)
        return found[0] if found else None

    def read_code(self, till: TillProcess) -> None:
        """
        Let a customer read the return code from a till's screen.
        """
        told = till.told_code() if till.is_up else None
        if told is not None:
            self.codes[told[0]] = told[1]

    def return_code_of(self, payment_id: str) -> str | None:
        """
        Return the code that a customer knows: from the screen, or from the receipt in the wallet.
        """
        opened = self.truth.receipts.opened.get(payment_id)
        return self.codes.get(payment_id) or (opened.receipt.return_code if opened else None)

    def violated(self, rule: str) -> None:
        if self.broken is None:
            self.broken = rule
            self.trace("VIOLATION", rule)

    def trace(self, *words: object) -> None:
        self.events.append((self.schedule.now_ms, words))

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def shop_of(self, merchant_id: str) -> tuple[AcquirerProcess, Merchant]:
        """
        Return a merchant, and who serves it.
        """
        shops = ((acquirer, merchant) for acquirer in self.acquirers for merchant, _ in acquirer.shops)
        return next((acquirer, merchant) for acquirer, merchant in shops if merchant.id == merchant_id)

    def new_id(self) -> str:
        return self.rng.randbytes(16).hex()

    def _acquirer(self, number: int, directory: Path) -> AcquirerProcess:
        shops = tuple(
            (Merchant(f"shop-{number}{letter}", f"Shop {number}{letter}"), Till(f"shop-{number}{letter}", "till"))
            for letter in "abcd"[: 5 - number]
        )
        return AcquirerProcess(self, f"street{number}", shops=shops, directory=directory)

    def _keys(self) -> PartyKeys:
        return PartyKeys(
            X25519PrivateKey.from_private_bytes(self.rng.randbytes(32)),
            Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32)),
        )
