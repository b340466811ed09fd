"""
Set a scene for the issuer: three matchers and a till that are played by a few lines each.

A palm is a word here; the matchers know by heart which alias stands for which palm.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from argon2.profiles import CHEAPEST
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.envelope import open_envelope, seal
from handsel.errors import PartyUnavailable
from handsel.flows.issuing.approved import Approved, Credited, Reserved
from handsel.flows.issuing.capture_charge import CaptureRequest
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.enrol import Enrolled, EnrolmentBegun, begin_enrolment, complete_enrolment
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.issuer import (
    Issuer,
    MatcherKeys,
    SecondFactors,
    limits_of_acquirer,
    limits_of_card,
    limits_of_pin,
    open_issuer_accounts,
)
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.pin_hash import PinHasher
from handsel.flows.issuing.ports import SignedConfirmation
from handsel.flows.issuing.refund import refund
from handsel.flows.issuing.relying_party import RelyingParty
from handsel.flows.issuing.top_up import ToppedUp, top_up
from handsel.ids import new_id
from handsel.keys import PartyKeys, verify_signature
from handsel.limits import AcquirerLimits, CardLimits, PinLimits
from handsel.matching.message import (
    ALIAS_SHARE,
    ANSWER,
    MATCHERS,
    AliasShare,
    Answer,
    Confirmation,
    Order,
    PerMatcher,
)
from handsel.notes.issue import NoteKeys
from handsel.notes.mint import NoteSecret, finalize_all, prepare
from handsel.notes.note import Note
from handsel.order import (
    CHARGE,
    ENROLMENT,
    REFUND,
    ChargeOrder,
    EnrolmentOrder,
    RefundOrder,
    bind,
    digest_of_notes,
    till_digest,
)
from handsel.pay.account import notes_in_circulation, wallet_account
from handsel.pay.decline import Declined
from handsel.pay.limit import CONTACTLESS_EUR
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.database import Database, UnitOfWork
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_identity import Identities
from handsel.store.issuer_note import ensure_circulation
from handsel.store.tree import Tree

ACQUIRER = "example"
TREE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "http://wallet.localhost:8401"

T = TypeVar("T")


def xor(*words: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(words[0], words[1] if len(words) == 2 else xor(*words[1:]), strict=True))


def second_factors() -> SecondFactors:
    """
    Return what PINs and passkeys are checked with, as by default, but that a PIN is hashed in no time.
    """
    pins = PinHasher(b"secret", parameters=CHEAPEST)
    return SecondFactors(pins, limits_of_pin(PinLimits()), PinLimits().digits_min, RelyingParty(ORIGIN))


@dataclass
class FakeMatchers:
    """
    Carry out orders as three matchers do: check the signature, remember, confirm.
    """

    keys: dict[str, PartyKeys]
    issuer_keys: PartyKeys
    carried_out: list[tuple[str, Order]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    altered: Callable[[Confirmation], Confirmation] = lambda confirmation: confirmation
    signer: str = ""

    def carry_out(self, matcher: str, *, order: bytes, signature: bytes) -> SignedConfirmation:
        if matcher in self.down:
            raise PartyUnavailable("the matcher does not answer")
        verify_signature(order, signature, signer=self.issuer_keys.public())
        wanted = msgspec.msgpack.decode(order, type=Order)
        self.carried_out.append((matcher, wanted))
        confirmation = self.altered(Confirmation(wanted.kind, wanted.enrolment_id, matcher, 1))
        body = msgspec.msgpack.encode(confirmation)
        return SignedConfirmation(body, self.keys[self.signer or matcher].signature(body))


@dataclass
class Shown:
    """
    Hold what a till sends for one charge, and what it keeps.
    """

    charge_id: str
    order: bytes
    answers: PerMatcher
    kept: tuple[NoteSecret, ...]
    notes_digest: bytes


def send(issuer: Issuer, shown: Shown, *, acquirer: str = ACQUIRER) -> Approved | Declined | Reserved:
    """
    Bring to an issuer what a till sends for a charge.
    """
    return charge(
        issuer,
        shown.charge_id,
        acquirer=acquirer,
        order=shown.order,
        answers=shown.answers,
        notes_digest=shown.notes_digest,
    )


class Scene:
    """
    Hold an issuer with its surroundings. `now_ms` is its clock.
    """

    def __init__(self, directory: Path, note_keys: NoteKeys) -> None:
        self.now_ms = 1_000_000_000_000
        self.directory = directory
        self.matcher_keys = {name: PartyKeys.generate() for name in MATCHERS}
        database = open_issuer_database(directory / "issuer.sqlite")
        self.issuer = Issuer(
            database=database,
            keys=PartyKeys.generate(),
            note_keys=note_keys,
            matchers=MatcherKeys(*(self.matcher_keys[name].public() for name in MATCHERS)),
            palms_max=1000,
            limits=CONTACTLESS_EUR,
            asking=limits_of_acquirer(AcquirerLimits()),
            showing=limits_of_card(CardLimits()),
            factors=second_factors(),
            currency="EUR",
            clock=lambda: self.now_ms,
            random_bytes=secrets.token_bytes,
            tree=Tree(database, TREE_KEY, party="issuer", clock=lambda: self.now_ms),
            identities=Identities(bytes(32)),
        )
        open_issuer_accounts(self.issuer)
        self.matchers = FakeMatchers(self.matcher_keys, self.issuer.keys)
        self.aliases: dict[str, bytes] = {}

    def restart(self) -> None:
        """
        Close the issuer and open it again on the same file.
        """
        self.issuer.database.close()
        database = open_issuer_database(self.directory / "issuer.sqlite")
        tree = Tree(database, TREE_KEY, party="issuer", clock=lambda: self.now_ms)
        self.issuer = replace(self.issuer, database=database, tree=tree)

    # The customer.

    def wallet(self, minor: int = 0) -> str:
        """
        Open a wallet with consent, and with money on it.
        """
        wallet_id = open_wallet(self.issuer).wallet_id
        give_consent(self.issuer, wallet_id, version="1")
        if minor:
            amount = Money(minor, "EUR")
            assert top_up(self.issuer, wallet_id, top_up_id=new_id(), amount=amount) == ToppedUp()
        return wallet_id

    def payer(self, palm: str, minor: int = 100_00) -> str:
        """
        Open a wallet with money on it and one palm.
        """
        wallet_id = self.wallet(minor)
        assert self.enrol(wallet_id, palm) == Enrolled()
        return wallet_id

    def code(self, wallet_id: str) -> str:
        given = give_enrolment_code(self.issuer, wallet_id)
        assert isinstance(given, EnrolmentCode)
        return given.code

    # The till.

    def enrolment_order(self, code: str, enrolment_id: str) -> tuple[EnrolmentOrder, bytes]:
        order = EnrolmentOrder(enrolment_id, code, till_digest(b"t" * 32, secrets.token_bytes(16)))
        return order, seal(order, to=self.issuer.keys.public(), purpose=ENROLMENT)

    def begin(self, wallet_id: str, palm: str) -> tuple[str, EnrolmentOrder]:
        """
        Begin an enrolment, and let the matchers learn the alias.
        """
        enrolment_id = new_id()
        order, sealed = self.enrolment_order(self.code(wallet_id), enrolment_id)
        begun = begin_enrolment(self.issuer, enrolment_id, acquirer=ACQUIRER, order=sealed)
        assert isinstance(begun, EnrolmentBegun)
        self.aliases[palm] = self.alias_in(begun.alias_shares)
        return enrolment_id, order

    def enrol(self, wallet_id: str, palm: str) -> Enrolled | Declined:
        enrolment_id, order = self.begin(wallet_id, palm)
        return complete_enrolment(self.issuer, enrolment_id, answers=self.answers(None, bind(order)))

    def show(
        self, palm: str | None, minor: int, *, alter: Callable[[ChargeOrder], ChargeOrder] = lambda order: order
    ) -> Shown:
        """
        Show a palm for a charge.
        """
        kept, requests = prepare(
            minor,
            currency="EUR",
            keys=self.issuer.note_keys.public(),
            random_bytes=secrets.token_bytes,
            now_ms=self.now_ms,
        )
        order = ChargeOrder(new_id(), minor, "EUR", till_digest(b"t" * 32, secrets.token_bytes(16)), requests)
        order = alter(order)
        sealed = seal(order, to=self.issuer.keys.public(), purpose=CHARGE)
        return Shown(order.order_id, sealed, self.answers(palm, bind(order)), kept, digest_of_notes(order.notes))

    def show_to_reserve(
        self, palm: str | None, minor: int, *, hold_s: int = 86_400, reply_key: bytes | None = None
    ) -> Shown:
        """
        Show a palm for a charge that only reserves.
        """
        digest = till_digest(b"t" * 32, secrets.token_bytes(16))
        order = ChargeOrder(new_id(), minor, "EUR", digest, (), hold_s=hold_s, reply_key=reply_key)
        sealed = seal(order, to=self.issuer.keys.public(), purpose=CHARGE)
        return Shown(order.order_id, sealed, self.answers(palm, bind(order)), (), digest_of_notes(()))

    def to_capture(self, shown: Shown, minor: int) -> tuple[CaptureRequest, tuple[NoteSecret, ...]]:
        """
        Return what an acquirer sends to capture, and what it keeps.
        """
        keys = self.issuer.note_keys.public()
        kept, requests = prepare(minor, currency="EUR", keys=keys, random_bytes=secrets.token_bytes, now_ms=self.now_ms)
        return CaptureRequest(shown.charge_id, Money(minor, "EUR"), requests), kept

    def charge(self, shown: Shown) -> Approved | Declined | Reserved:
        return send(self.issuer, shown)

    def notes(self, shown: Shown, approved: Approved | Declined | Reserved) -> tuple[Note, ...]:
        """
        Finish the notes, all of which must be genuine.
        """
        assert isinstance(approved, Approved)
        return finalize_all(shown.kept, approved.signatures, keys=self.issuer.note_keys.public())

    def buy(self, palm: str, minor: int) -> tuple[Note, ...]:
        """
        Return the notes of a payment.
        """
        shown = self.show(palm, minor)
        return self.notes(shown, self.charge(shown))

    def refund_order(self, minor: int) -> RefundOrder:
        return RefundOrder(new_id(), minor, "EUR", till_digest(b"t" * 32, secrets.token_bytes(16)))

    def refund(
        self, palm: str | None, order: RefundOrder, notes: tuple[Note, ...], *, binding: bytes | None = None
    ) -> Credited | Declined:
        sealed = seal(order, to=self.issuer.keys.public(), purpose=REFUND)
        answers = self.answers(palm, binding or bind(order))
        return refund(self.issuer, order.order_id, acquirer=ACQUIRER, order=sealed, answers=answers, notes=notes)

    # The matchers.

    def answers(self, palm: str | None, binding: bytes) -> PerMatcher:
        """
        Answer as the three matchers do to a palm. `one+two` matches two rows, None matches none.
        """
        found = bytes(16)
        for name in palm.split("+") if palm else ():
            found = xor(found, self.aliases[name])
        return self.answer_with(found, binding)

    def answer_with(self, found: bytes, binding: bytes) -> PerMatcher:
        mask_a, mask_b = secrets.token_bytes(16), secrets.token_bytes(16)
        query_id = secrets.token_bytes(16)
        masked = zip(MATCHERS, (mask_a, mask_b, xor(found, mask_a, mask_b)), strict=True)
        to = self.issuer.keys.public()
        return PerMatcher(*(seal(Answer(query_id, binding, name, m), to=to, purpose=ANSWER) for name, m in masked))

    def alias_in(self, shares: PerMatcher) -> bytes:
        """
        Return the alias that three sealed shares hold together, after checking that they are replicated.
        """
        sealed = zip(MATCHERS, (shares.a, shares.b, shares.c), strict=True)
        own, pair = [], []
        for name, one in sealed:
            share = open_envelope(one, AliasShare, keys=self.matcher_keys[name], purpose=ALIAS_SHARE)
            own.append(share.own)
            pair.append(share.pair)
        assert pair == [xor(own[i], own[(i + 1) % 3]) for i in range(3)]
        return xor(*own)

    # The auditor.

    def balance(self, wallet_id: str) -> int:
        return self._standing(wallet_account(wallet_id, currency="EUR").id)

    def circulating(self) -> int:
        return self._standing(notes_in_circulation("EUR").id)

    def settled(self) -> int:
        return self._standing(f"settlement:{ACQUIRER}:EUR")

    def audit(self) -> None:
        """
        Recompute the ledger, and compare the notes that are out.
        """
        with self.issuer.database.unit_of_work() as uow:
            ledger.audit(uow)
            ensure_circulation(uow, "EUR")

    def _standing(self, account_id: str) -> int:
        self.audit()
        with self.issuer.database.unit_of_work() as uow:
            state = ledger.account_state(uow, account_id)
        return state.balance_minor if state else 0


class Crash(Exception):
    """
    The process ends here.
    """


class CrashingDatabase(Database):
    """
    Crash at the commit of that number, counted from 0: just before it is made, or just after.
    """

    def __init__(self, database: Database, *, at: int, is_committed: bool) -> None:
        super().__init__(database._engine, rules=database.rules)
        self._left = at
        self._is_committed = is_committed

    def unit_of_work(self) -> UnitOfWork:
        return _CrashingUnit(self)

    def count_down(self, commit: Callable[[], None]) -> None:
        self._left -= 1
        if self._left >= 0:
            commit()
            return
        if self._is_committed:
            commit()
        raise Crash


class _CrashingUnit(UnitOfWork):
    def __init__(self, database: CrashingDatabase) -> None:
        super().__init__(database)
        self._counting = database

    def commit(self) -> None:
        self._counting.count_down(super().commit)


def crash(scene: Scene, act: Callable[[Issuer], object], *, at: int, is_committed: bool) -> None:
    """
    Let `act` crash just before, or just after, one of its commits; then start the issuer again on what is on disk.
    """
    database = CrashingDatabase(scene.issuer.database, at=at, is_committed=is_committed)
    with pytest.raises(Crash):
        act(replace(scene.issuer, database=database))
    scene.restart()
    scene.audit()


def at_once(*acts: Callable[[], T]) -> list[T]:
    """
    Do all of `acts` in threads of their own that start in the same moment, and return what they return, in order.
    """
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        start.wait(timeout=10)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [running.result(timeout=30) for running in [threads.submit(run, act) for act in acts]]
