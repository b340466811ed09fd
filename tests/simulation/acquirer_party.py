"""
Run the real flows of an acquirer in a simulated process, and reach the issuer and the matchers from it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.msgpack import encode

from handsel.errors import PalmInvalid, PartyUnavailable
from handsel.flows.acquiring import ports
from handsel.flows.acquiring.acquirer import Acquirer, limits_of_till
from handsel.flows.acquiring.announced_keys import AnnouncedKeys
from handsel.flows.acquiring.buy_notes import resolve_purchases
from handsel.flows.acquiring.finish_charge import finish_charges
from handsel.flows.acquiring.redeem_notes import redeem_notes
from handsel.flows.acquiring.settle_capture import expire_reservations, resolve_captures
from handsel.flows.acquiring.settle_charge import resolve_charges
from handsel.flows.acquiring.settle_refund import resolve_refunds
from handsel.flows.acquiring.sign_in import register_merchant, register_till
from handsel.flows.issuing import approved as issued
from handsel.flows.issuing.buy_notes import buy_notes
from handsel.flows.issuing.capture_charge import CaptureRequest, capture_charge
from handsel.flows.issuing.charge import charge
from handsel.flows.issuing.enrol import Enrolled, EnrolmentBegun, begin_enrolment, complete_enrolment
from handsel.flows.issuing.give_back import give_back
from handsel.flows.issuing.redeem import redeem
from handsel.flows.issuing.refund import refund
from handsel.flows.issuing.refund_charge import ChargeRefund, refund_charge
from handsel.flows.issuing.take_receipt import take_receipt
from handsel.flows.issuing.void_charge import void_charge
from handsel.matching.message import PerMatcher
from handsel.notes.announce import SignedNoteKeys, TrustedNoteKeys
from handsel.notes.note import Note
from handsel.order import NoteRequest, SealedProof
from handsel.pay.decline import Declined
from handsel.pay.held_note import RefusedSerial
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.store.acquirer import SCHEMAS, AcquirerDatabase, AcquirerTransaction
from handsel.store.acquirer_notes import watch_held
from handsel.store.database import Database
from handsel.store.tree import Tree
from handsel.web.parties import ISSUER_TIMEOUT_S
from handsel.wiring.acquirer import RESOLVE_INTERVAL_S
from tests.flows.issuing.scene import TREE_KEY
from tests.simulation.acquirer_identity import IDENTITY
from tests.simulation.disk import Disk, DiskEngine, trigger
from tests.simulation.limits import TILL_LIMITS
from tests.simulation.network import Lost, Refusal, Unreachable
from tests.simulation.process import Process
from tests.simulation.schedule import Turn
from tests.simulation.tree import let_grow

if TYPE_CHECKING:
    from tests.simulation.issuer_party import IssuerProcess
    from tests.simulation.world import World

T = TypeVar("T")

REDEEM_INTERVAL_MS = 20_000.0  # The default of the setting `redeem_interval_s`.
PAYMENT = ("NEW.id", "NEW.status", "NEW.amount_minor", "NEW.merchant_id", "NEW.captured_minor", "NEW.tip_minor")
TRIGGERS = (
    trigger("payments", "INSERT", "payment", *PAYMENT),
    trigger("payments", "UPDATE", "payment", *PAYMENT),
    trigger("charges", "INSERT", "charge", "NEW.id", "NEW.status", "NEW.payment_id", "NEW.order_id"),
    trigger("charges", "UPDATE", "charge", "NEW.id", "NEW.status", "NEW.payment_id", "NEW.order_id"),
    trigger("captures", "INSERT", "capture", "NEW.charge_id", "NEW.status"),
    trigger("captures", "UPDATE", "capture", "NEW.charge_id", "NEW.status"),
    trigger("refunds", "INSERT", "refund", "NEW.id", "NEW.status", "NEW.amount_minor", "NEW.payment_id"),
    trigger("refunds", "UPDATE", "refund", "NEW.id", "NEW.status", "NEW.amount_minor", "NEW.payment_id"),
    trigger("refund_attempts", "INSERT", "attempt", "NEW.id", "NEW.status", "NEW.refund_id"),
    trigger("refund_attempts", "UPDATE", "attempt", "NEW.id", "NEW.status", "NEW.refund_id"),
    trigger("notes", "INSERT", "note", "NEW.serial", "NEW.worth_minor", "NEW.source_id", "NEW.key_id"),
    trigger("disputes", "INSERT", "dispute", "NEW.id", "NEW.status", "NEW.payment_id"),
    trigger("disputes", "UPDATE", "dispute", "NEW.id", "NEW.status", "NEW.payment_id"),
)


class SlowStore(AcquirerDatabase):
    """
    Be the acquirer's database. Whoever wants a turn may have to wait: others come between any two units of work.
    """

    def __init__(self, database: Database, process: Process) -> None:
        super().__init__(database)
        self._process = process

    def unit_of_work(self) -> AcquirerTransaction:
        self._process.world.hesitate()
        return super().unit_of_work()


class AcquirerProcess(Process):
    """
    Be one acquirer. `merchants` are those that it serves, with one till each.
    """

    def __init__(self, world: World, name: str, *, shops: tuple[tuple[Merchant, Till], ...], directory: Path) -> None:
        super().__init__(world, name)
        self.shops = shops
        self.disk = Disk()
        self._directory = directory

    def boot(self) -> None:
        engine = DiskEngine(self.disk, is_full=self.is_full, before=self._before_commit, after=self._after_commit)
        self.is_ready = False
        store = SlowStore(Database.on(engine, schemas=SCHEMAS, rules=(watch_held,)), self)
        issuer = IssuerPort(self, self.world.issuer)
        announced = AnnouncedKeys(issuer, TrustedNoteKeys(self.world.root, self._directory / f"{self.name}-keys.json"))
        vars(announced)["_turn"] = Turn(self.world.schedule)
        self.acquirer = Acquirer(
            store,
            MatchersPort(self),
            issuer,
            announced,
            random_bytes=self.random_bytes,
            asking=limits_of_till(TILL_LIMITS),
            tree=Tree(store.database, TREE_KEY, party="acquirer", clock=self.clock),
            identity=IDENTITY,
        )
        if not self.disk.is_watched:
            for number, (merchant, till) in enumerate(self.shops):
                register_merchant(self.acquirer, merchant, key=f"{number:064}")
                register_till(self.acquirer, till, token=f"{number:064}")
            self.disk.watch(TRIGGERS)
        self.is_ready = True
        acquirer, clock = self.acquirer, self.clock
        self.repeat(REDEEM_INTERVAL_MS, lambda: redeem_notes(acquirer, now_ms=clock()))
        let_grow(self, acquirer.tree)
        for resolve in _resolving():
            self.repeat(RESOLVE_INTERVAL_S * 1000, _chore(resolve, acquirer, clock))

    def _before_commit(self) -> None:
        if self.is_ready:
            self.may_crash(self.world.plan.crash_before_commit)

    def _after_commit(self) -> None:
        if self.is_ready:
            self.world.truth.see_acquirer(self, self.disk.take_seen())
            self.may_crash(self.world.plan.crash_after_commit)


def _resolving() -> tuple[Callable[..., int], ...]:
    # In a function, so that planted bugs can stand in their place.
    ends = (resolve_charges, finish_charges, resolve_refunds, resolve_purchases)
    return (*ends, resolve_captures, expire_reservations)


def _chore(resolve: Callable[..., int], acquirer: Acquirer, clock: Callable[[], int]) -> Callable[[], object]:
    return lambda: resolve(acquirer, now_ms=clock())


class IssuerPort:
    """
    Reach the issuer as `web.parties.HttpIssuer` does, with the same exceptions and the same bound on time.
    """

    def __init__(self, process: AcquirerProcess, issuer: IssuerProcess) -> None:
        self._process = process
        self._issuer = issuer

    def note_keys(self) -> SignedNoteKeys:
        return self._certain("note_keys", self._issuer.issuer.note_keys.announced)

    def charge(
        self, order_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes_digest: bytes
    ) -> ports.Signed | Declined | ports.Reserved | ports.Unanswered:
        def act() -> issued.Approved | Declined | issued.Reserved:
            issuer, name = self._issuer.issuer, self._process.name
            return charge(issuer, order_id, acquirer=name, order=order, answers=answers, notes_digest=notes_digest)

        try:
            answer = self._ask("charge", act)
        except Lost:
            return ports.Unanswered()
        return _charged(answer)

    def void(self, order_id: str) -> ports.Signed | Declined | ports.Reserved | ports.Voided:
        name = self._process.name
        answer = self._certain("void", lambda: void_charge(self._issuer.issuer, order_id, acquirer=name))
        return ports.Voided() if isinstance(answer, issued.Voided) else _charged(answer)

    def capture(self, order_id: str, *, amount: Money, requests: tuple[NoteRequest, ...]) -> ports.Signed | Declined:
        wanted, name = CaptureRequest(order_id, amount, requests), self._process.name
        return _signed(self._certain("capture", lambda: capture_charge(self._issuer.issuer, wanted, acquirer=name)))

    def give_back(self, order_id: str) -> ports.Signed | ports.Voided:
        name = self._process.name
        answer = self._certain("give_back", lambda: give_back(self._issuer.issuer, order_id, acquirer=name))
        return ports.Voided() if isinstance(answer, issued.Voided) else ports.Signed(answer.signatures)

    def redeem(self, redemption_id: str, *, notes: tuple[Note, ...]) -> ports.Redeemed:
        answer = self._certain(
            "redeem",
            lambda: redeem(self._issuer.issuer, redemption_id, notes=notes, acquirer=self._process.name),
        )
        refused = (
            RefusedSerial(each.serial, each.reason, None if each.proof is None else encode(each.proof))
            for each in answer.refused
        )
        return ports.Redeemed(answer.redeemed, tuple(refused))

    def buy_notes(self, purchase_id: str, *, requests: tuple[NoteRequest, ...]) -> ports.Signed | Declined:
        return _signed(
            self._certain(
                "buy_notes",
                lambda: buy_notes(self._issuer.issuer, purchase_id, requests=requests, acquirer=self._process.name),
            )
        )

    def refund(
        self, refund_id: str, *, order: bytes, answers: PerMatcher | SealedProof, notes: tuple[Note, ...]
    ) -> ports.Credited | Declined | ports.Unanswered:
        try:
            answer = self._ask(
                "refund",
                lambda: refund(
                    self._issuer.issuer,
                    refund_id,
                    acquirer=self._process.name,
                    order=order,
                    answers=answers,
                    notes=notes,
                ),
            )
        except Lost:
            return ports.Unanswered()
        return answer if isinstance(answer, Declined) else ports.Credited()

    def begin_enrolment(self, enrolment_id: str, *, order: bytes) -> ports.EnrolmentBegun | ports.Enrolled | Declined:
        answer = self._certain(
            "begin_enrolment",
            lambda: begin_enrolment(self._issuer.issuer, enrolment_id, acquirer=self._process.name, order=order),
        )
        if isinstance(answer, EnrolmentBegun):
            return ports.EnrolmentBegun(answer.alias_shares)
        return _enrolled(answer)

    def complete_enrolment(self, enrolment_id: str, *, answers: PerMatcher) -> ports.Enrolled | Declined:
        return _enrolled(
            self._certain(
                "complete_enrolment", lambda: complete_enrolment(self._issuer.issuer, enrolment_id, answers=answers)
            )
        )

    def enrol_card(self, enrolment_id: str, *, order: bytes) -> ports.Enrolled | Declined:
        raise PartyUnavailable("cards are not simulated")

    def answer_card(self, request: bytes) -> bytes | Declined:
        raise PartyUnavailable("cards are not simulated")

    def refund_charge(
        self, order_id: str, *, charge_order_id: str, amount: Money, notes: tuple[Note, ...]
    ) -> ports.Credited | Declined | ports.Unanswered:
        wanted, name = ChargeRefund(order_id, charge_order_id, amount, notes), self._process.name
        world = self._process.world
        refund_id = world.schedule.current().about
        ((attempt_id,),) = self._process.disk.rows("SELECT id FROM refund_attempts WHERE refund_id = ?", refund_id)
        world.truth.returns.sent(
            order_id, refund_id=refund_id, attempt_id=attempt_id, charge_order_id=charge_order_id, amount=amount
        )
        try:
            answer = self._ask("refund_charge", lambda: refund_charge(self._issuer.issuer, wanted, acquirer=name))
        except Lost:
            return ports.Unanswered()
        return answer if isinstance(answer, Declined) else ports.Credited()

    def take_receipt(self, receipt_id: str, *, sealed: bytes, line: bytes) -> None:
        self._certain("take_receipt", lambda: take_receipt(self._issuer.issuer, receipt_id, sealed=sealed, line=line))

    def _certain(self, name: str, act: Callable[[], T]) -> T:
        try:
            return self._ask(name, act)
        except Lost:
            raise PartyUnavailable("the issuer does not answer: ask again") from None

    def _ask(self, name: str, act: Callable[[], T]) -> T:
        network = self._process.world.network
        try:
            answer = network.ask(self._process, self._issuer, act, name=name, timeout_ms=ISSUER_TIMEOUT_S * 1000)
        except Unreachable:
            raise PartyUnavailable("the issuer cannot be reached: ask again") from None
        if isinstance(answer, Refusal):
            if not answer.is_certain:
                raise Lost
            raise type(answer.error)(str(answer.error))
        return answer


class MatchersPort:
    """
    Reach the model of the three matchers. They hold no money: that one fails is all there is to simulate.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def answer_query(self, matcher: str, envelope: bytes) -> bytes:
        world = self._process.world
        if world.rng.random() < world.plan.no_palm / 3:
            raise PalmInvalid("what was sent as a palm has not a palm's form")
        if world.rng.random() < (world.plan.lost + world.plan.refused) / 3:
            world.schedule.sleep(world.rng.choice((5.0, 8_000.0)))
            raise PartyUnavailable("the matcher does not answer")
        return world.matchers.answer_query(matcher, envelope)

    def enrol(self, matcher: str, *, template: bytes, alias_share: bytes) -> bytes:
        return self._process.world.matchers.enrol(matcher, template=template, alias_share=alias_share)


def _charged(answer: issued.Approved | Declined | issued.Reserved) -> ports.Signed | Declined | ports.Reserved:
    if isinstance(answer, issued.Reserved):
        return ports.Reserved(answer.amount_minor, answer.until_ms, answer.reply)
    return _signed(answer)


def _signed(answer: issued.Approved | Declined) -> ports.Signed | Declined:
    return answer if isinstance(answer, Declined) else ports.Signed(answer.signatures, answer.reply)


def _enrolled(answer: Enrolled | Declined) -> ports.Enrolled | Declined:
    return answer if isinstance(answer, Declined) else ports.Enrolled()
