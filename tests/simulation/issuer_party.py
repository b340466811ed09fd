"""
Run the real flows of the issuer in a simulated process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argon2.profiles import CHEAPEST

from handsel.flows.issuing.issuer import (
    Issuer,
    MatcherKeys,
    SecondFactors,
    limits_of_acquirer,
    limits_of_card,
    limits_of_pin,
    open_issuer_accounts,
)
from handsel.flows.issuing.pin_hash import PinHasher
from handsel.flows.issuing.void_charge import expire_charges
from handsel.keys import PartyKeys
from handsel.limits import CardLimits
from handsel.matching.message import MATCHERS
from handsel.store.database import Database, UnitOfWork
from handsel.store.issuer import SCHEMAS
from handsel.store.issuer_identity import Identities
from handsel.store.issuer_note import watch_circulation
from handsel.store.tree import Tree
from handsel.wiring.issuer import EXPIRE_INTERVAL_S
from tests.flows.issuing.scene import TREE_KEY
from tests.simulation.device import NearDevice
from tests.simulation.disk import Disk, DiskEngine, trigger
from tests.simulation.limits import ACQUIRER_LIMITS, PIN_LIMITS, WALLET_LIMITS
from tests.simulation.process import Process
from tests.simulation.tree import let_grow

if TYPE_CHECKING:
    from handsel.notes.issue import NoteKeys
    from tests.simulation.world import World

HASH_MS_MAX = 1_500.0  # Of one PIN.
CHARGE = ("NEW.id", "NEW.state", "NEW.wallet_id", "NEW.amount_minor", "NEW.reason", "NEW.factor")
RECEIPT_KEY = ("NEW.id", "NEW.wallet_id", "NEW.number", "NEW.charge_id")
TRIGGERS = (
    trigger(
        "transfers",
        "INSERT",
        "transfer",
        *("NEW.id", "NEW.kind", "NEW.debit", "NEW.credit", "NEW.amount_minor", "NEW.pending_id"),
    ),
    trigger("charges", "INSERT", "charge", *CHARGE),
    trigger("charges", "UPDATE", "charge", *CHARGE),
    trigger("holds", "INSERT", "hold", "NEW.charge_id", "NEW.acquirer", "NEW.amount_minor", "NEW.until_ms"),
    trigger("pin_checks", "INSERT", "check", "NEW.charge_id", "NEW.wallet_id"),
    trigger("pin_checks", "DELETE", "check ended", "OLD.charge_id"),
    trigger("pin_tries", "DELETE", "unlocked", "OLD.wallet_id"),
    trigger("redeemed_notes", "INSERT", "redeemed", "NEW.serial", "NEW.key_id", "NEW.request_id"),
    trigger("refunds", "INSERT", "refund", "NEW.id", "NEW.reason"),
    trigger("receipt_keys", "INSERT", "receipt key", *RECEIPT_KEY),
    trigger("receipt_keys", "UPDATE", "receipt key", *RECEIPT_KEY),
    trigger("receipt_keys", "DELETE", "receipt key gone", "OLD.id"),
)


class SlowHasher(PinHasher):
    """
    Hash PINs in no time, and let the simulated one pass that it takes.
    """

    process: Process

    def is_right(self, pin: str, *, stored: str | None) -> bool:
        world = self.process.world
        world.schedule.sleep(world.rng.uniform(0, HASH_MS_MAX))
        return super().is_right(pin, stored=stored)


class SlowDatabase(Database):
    """
    Be the issuer's database. Whoever wants a turn may have to wait: others come between any two units of work.
    """

    process: Process

    def unit_of_work(self) -> UnitOfWork:
        self.process.world.hesitate()
        return super().unit_of_work()


class IssuerProcess(Process):
    """
    Be the issuer.
    """

    def __init__(self, world: World, *, keys: PartyKeys, note_keys: NoteKeys, matchers: dict[str, PartyKeys]) -> None:
        super().__init__(world, "issuer")
        self.disk = Disk()
        self._keys = keys
        self._note_keys = note_keys
        self._matchers = MatcherKeys(*(matchers[name].public() for name in MATCHERS))

    def boot(self) -> None:
        self.is_ready = False
        engine = DiskEngine(self.disk, is_full=self.is_full, before=self._before_commit, after=self._after_commit)
        database = Database.on(engine, schemas=SCHEMAS, rules=(watch_circulation,))
        database.__class__ = SlowDatabase
        vars(database)["process"] = self
        self.issuer = Issuer(
            database=database,
            keys=self._keys,
            note_keys=self._note_keys,
            matchers=self._matchers,
            palms_max=1000,
            limits=WALLET_LIMITS,
            asking=limits_of_acquirer(ACQUIRER_LIMITS),
            showing=limits_of_card(CardLimits()),
            factors=self._factors(),
            tree=Tree(database, TREE_KEY, party="issuer", clock=self.clock),
            identities=Identities(bytes(32)),
            currency="EUR",
            clock=self.clock,
            random_bytes=self.random_bytes,
            hold_ms_max=self.world.hold_ms,
            bank=self.world.bank.accounts["issuer"].own,
        )
        if not self.disk.is_watched:
            open_issuer_accounts(self.issuer)
            self.disk.watch(TRIGGERS)
        self.is_ready = True
        issuer = self.issuer
        self.repeat(EXPIRE_INTERVAL_S * 1000, lambda: expire_charges(issuer))
        let_grow(self, issuer.tree)

    def _factors(self) -> SecondFactors:
        pins = SlowHasher(b"simulated", parameters=CHEAPEST)
        pins.process = self
        return SecondFactors(pins, limits_of_pin(PIN_LIMITS), PIN_LIMITS.digits_min, NearDevice("http://simulated"))

    def _before_commit(self) -> None:
        if self.is_ready:
            self.may_crash(self.world.plan.crash_before_commit)

    def _after_commit(self) -> None:
        if self.is_ready:
            self.world.truth.see_issuer(self, self.disk.take_seen())
            self.may_crash(self.world.plan.crash_after_commit)
