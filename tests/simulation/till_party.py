"""
Run the real agent of a till in a simulated process: its journal, its requests and its screens. It sees palms by name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from handsel.config import AttackHintSetting
from handsel.errors import InvariantBroken, PartyUnavailable
from handsel.flows.acquiring.accept_notes import accept_notes
from handsel.flows.acquiring.carry_charge import ShownForCharge, charge_state, give_up_charge, submit_charge
from handsel.flows.acquiring.carry_receipt import SealedForWallet, carry_receipt
from handsel.flows.acquiring.carry_refund import ShownForRefund, submit_refund
from handsel.flows.acquiring.show_action import Action, current_action
from handsel.keys import PublicKeys
from handsel.log import Log
from handsel.matching.message import Query
from handsel.notes.announce import TrustedNoteKeys
from handsel.notes.note import Note, PublicNoteKeys
from handsel.order import ChargeOrder, RefundOrder, Way
from handsel.pay.decline import Declined
from handsel.pay.merchant import Till
from handsel.pay.payment import Approved, ChargeState, Paid, Pending, Reserved
from handsel.pay.refund import Refunded
from handsel.till import acquirer as answers
from handsel.till.action import ChargeAction, RefundAction, TipChoice, ToldAction
from handsel.till.agent import Agent
from handsel.till.agent_state import AgentState
from handsel.till.bring_receipts import ReceiptCourier
from handsel.till.client import LONG_S_MAX, SHORT_S_MAX
from handsel.till.close_charge import ChargeCloser
from handsel.till.follow_reserved import ReservedFollower
from handsel.till.journal import ChargeEntry, Journal, ReceiptEntry
from handsel.till.make_request import RequestMaker
from handsel.till.seal_palm import NONCE_BYTES, PalmSealer
from handsel.till.session import Session, action_of
from handsel.vision.embedding import Probe
from handsel.vision.frame import Frame
from handsel.vision.read_palm import PalmReading, Rejected
from handsel.wiring.till import BRING_INTERVAL_S, FOLLOW_INTERVAL_S
from tests.simulation.disk import replace_file
from tests.simulation.network import Lost, Refusal, Unreachable
from tests.simulation.process import Process
from tests.simulation.schedule import Turn

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.world import World

T = TypeVar("T")

PALMS_MAX = 16  # Of one world: each is a direction of its own.
THRESHOLD = 0.5
POLL_INTERVAL_MS = 1_000.0  # Half as often as a real till: that is where most of the time went.


class NamedPalms:
    """
    Read the palm whose number a frame carries.
    """

    def __init__(self) -> None:
        views = np.eye(PALMS_MAX, dtype=np.float32)
        self._readings = [PalmReading(Probe(views[number : number + 1], "named"), 0.9) for number in range(PALMS_MAX)]

    def read(self, frame: Frame) -> PalmReading | Rejected:
        return self._readings[cast(bytes, frame)[0]]


class NamingSealer(PalmSealer):
    """
    Seal to each matcher the name of a palm in place of its share, and tell the world what was ordered.
    """

    world: World
    till: TillProcess

    def _queries(self, probe: Probe, binding: bytes) -> tuple[Query, ...]:
        name = b"palm-%d" % int(np.argmax(probe.views[0]))
        query_id = self.random_bytes(NONCE_BYTES)
        return (Query(query_id, binding, 1, name, name),) * 3

    def seal_charge(self, order: ChargeOrder, *, entry: ChargeEntry, probe: Probe) -> answers.ChargeRequest:
        self.world.truth.ordered(order, entry, till=self.till, palm=int(np.argmax(probe.views[0])))
        return super().seal_charge(order, entry=entry, probe=probe)

    def seal_refund(self, order: RefundOrder, *, attempt_id: str, refund: str, probe: Probe) -> answers.RefundRequest:
        palm = int(np.argmax(probe.views[0]))
        self.world.truth.ordered_back(order, refund, attempt_id=attempt_id, palm=palm)
        return super().seal_refund(order, attempt_id=attempt_id, refund=refund, probe=probe)


class TillProcess(Process):
    """
    Be one till, and the page in front of it.
    """

    def __init__(
        self, world: World, till: Till, acquirer: AcquirerProcess, *, keys: PublicKeys, directory: Path
    ) -> None:
        super().__init__(world, till.id)
        self.till = till
        self.acquirer = acquirer
        self.shown_minor: int | None = None  # On the screen, when a palm was held out last.
        self.journal: bytes | None = None  # On its disk.
        self._looked: tuple[Session, AgentState] | None = None
        self.tips: dict[str, int] = {}  # Chosen here, by payment, since it was put aside last.
        self._keys = keys
        self._directory = directory

    @property
    def journal_path(self) -> Path:
        return self._directory / self.name.replace("/", "-") / "journal.json"

    def boot(self) -> None:
        world = self.world
        port = AcquirerPort(self)
        journal = Journal.open(self._journal_file())
        log = Log("till", io.StringIO())
        self.agent = Agent(
            reader=NamedPalms(),
            acquirer=port,
            journal=journal,
            parties=world.parties,
            till=self._keys,
            receipts_url="",
            clock=self.clock,
            log=log,
            random_bytes=self.random_bytes,
            attack_hint=AttackHintSetting.OFF,
            lights=(),
            ways=(Way.OPEN_HAND,),
            held_threshold=THRESHOLD,
        )
        sealer = NamingSealer(world.parties, self._keys.sign, self.random_bytes)
        vars(sealer)["world"], vars(sealer)["till"] = world, self
        vars(self.agent)["_maker"] = RequestMaker(sealer, port, THRESHOLD)
        vars(self.agent)["_busy"] = Turn(world.schedule)
        self._looked = None
        self.courier = ReceiptCourier(journal, port, self.clock, log)
        self.repeat(POLL_INTERVAL_MS, self.agent.poll)
        closer = ChargeCloser(journal, world.parties.issuer, self.random_bytes, log)
        follower = ReservedFollower(journal, port, closer, self.clock, log)
        self.repeat(BRING_INTERVAL_S * 1000, self.courier.bring_next)
        self.repeat(FOLLOW_INTERVAL_S * 1000, follower.ask_next)

    def _journal_file(self) -> Path:
        """
        Put what is on the till's disk into a file: it is read when the till starts.
        """
        self.journal_path.unlink(missing_ok=True)
        if self.journal is not None:
            replace_file(self.journal_path, self.journal)
        return self.journal_path

    def lose(self) -> None:
        """
        Let the disk be replaced by an empty one, now and then.
        """
        if self.world.rng.random() >= self.world.plan.disk_lost_per_crash:
            return
        self.journal = None
        self.world.truth.receipts.disk_lost(self)
        self.world.trace("disk lost", self.name)
        self.world.count("disks_lost")

    def hold_out(self, palm: int) -> AgentState:
        """
        Send one frame of a palm, as the page does. To be called in a task of this process.
        """
        state = self.look()
        self.shown_minor = state.amount_minor
        return self.agent.see(bytes((palm,)), session=state.session, light=None)

    def look(self) -> AgentState:
        """
        Return what is on the screen. It is described anew when something has changed: `poll` lets time change it.
        """
        looked = self._looked
        if looked is None or looked[0] != vars(self.agent)["_session"]:
            state = self.agent.state()
            looked = self._looked = vars(self.agent)["_session"], state
        return looked[1]

    def told_code(self) -> tuple[str, str] | None:
        """
        Return the payment that is paid, and the return code that its customer is told.
        """
        session, state = vars(self.agent)["_session"], self.look()
        action = action_of(session.screen)
        return (action.id, state.return_code) if action is not None and state.return_code else None

    def receipts_waiting(self) -> tuple[ReceiptEntry, ...]:
        return self.courier.journal.receipts() if self.is_up else ()

    def has_brought_all(self) -> bool:
        """
        Say whether it has no receipt to bring, and waits for none to be captured.
        """
        return not self.courier.journal.receipts() and not self.courier.journal.reserved()

    def is_asking(self) -> bool:
        """
        Say whether it has sent something whose end it does not know.
        """
        return bool(vars(self.agent)["_open"])

    def choose_tip(self, tip_minor: int) -> AgentState:
        state, action = self.look(), action_of(vars(self.agent)["_session"].screen)
        if action is not None and state.wants_frames:
            self.tips[action.id] = tip_minor
        return self.agent.choose_tip(tip_minor, session=state.session)

    def cancel(self) -> AgentState:
        self.tips.clear()
        return self.agent.cancel(session=self.agent.state().session)

    def type_pin(self, typed: str) -> AgentState:
        return self.agent.type_pin(typed, session=self.agent.state().session)

    def retry(self) -> AgentState:
        return self.agent.retry(session=self.agent.state().session)


class AcquirerPort:
    """
    Reach the acquirer as `till.client.AcquirerClient` does, with the same exceptions and the same bounds on time.
    """

    def __init__(self, process: TillProcess) -> None:
        self.process = process
        path = process.journal_path.with_name("note-keys.json")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._trusted = TrustedNoteKeys(process.world.root, path)

    def action(self) -> ToldAction | None:
        found = self._ask("action", lambda: self._flow(current_action), SHORT_S_MAX)
        return None if found is None else _told(found)

    def note_keys(self) -> PublicNoteKeys:
        acquirer = self.process.acquirer
        return self._trusted.open(
            self._ask("note_keys", lambda: acquirer.acquirer.keys.signed_at(acquirer.clock()), SHORT_S_MAX)
        )

    def charge(self, request: answers.ChargeRequest) -> answers.ChargeAnswer:
        assert request.queries is not None
        shown = ShownForCharge(
            request.charge_id,
            request.order_id,
            request.payment_intent,
            request.order,
            request.queries,
            request.secrets,
            request.return_digest,
            request.nonce,
            request.tip_minor,
        )
        return _charge_answer(self._ask("charge", lambda: self._flow(submit_charge, shown), LONG_S_MAX))

    def charge_state(self, charge_id: str) -> answers.ChargeAnswer:
        acquirer, till = self.process.acquirer, self.process.till
        state = self._ask("charge_state", lambda: charge_state(acquirer.acquirer, till, charge_id), SHORT_S_MAX)
        answer = _charge_answer(state)
        self.process.world.truth.receipts.told(self.process, charge_id, answer)
        return answer

    def void_charge(self, charge_id: str, *, payment_intent: str) -> answers.ChargeAnswer:
        acquirer, till = self.process.acquirer, self.process.till
        state = self._ask(
            "void_charge",
            lambda: give_up_charge(
                acquirer.acquirer, till, charge_id, payment_id=payment_intent, now_ms=acquirer.clock()
            ),
            LONG_S_MAX,
        )
        return _charge_answer(state)

    def hand_over(self, charge_id: str, notes: tuple[Note, ...]) -> answers.PaidAnswer:
        return _paid_answer(self._ask("hand_over", lambda: self._flow(accept_notes, charge_id, notes), SHORT_S_MAX))

    def refund(self, request: answers.RefundRequest) -> answers.RefundAnswer:
        assert request.queries is not None
        shown = ShownForRefund(request.attempt_id, request.refund, request.order_id, request.order, request.queries)
        state = self._ask("refund", lambda: self._flow(submit_refund, shown), LONG_S_MAX)
        if isinstance(state, Pending):
            return answers.PendingAnswer()
        return answers.RefundedAnswer(state.receipt_code) if isinstance(state, Refunded) else _declined(state)

    def enrol(self, request: answers.EnrolmentRequest) -> answers.EnrolmentAnswer:
        raise PartyUnavailable("enrolments are not simulated")

    def bring_receipt(self, charge_id: str, brought: answers.ReceiptBrought) -> None:
        acquirer, till = self.process.acquirer, self.process.till
        sealed = SealedForWallet(brought.receipt_id, brought.sealed, brought.line)
        self._ask("bring_receipt", lambda: carry_receipt(acquirer.acquirer, till, charge_id, sealed), SHORT_S_MAX)
        self.process.world.truth.receipts.arrived(self.process, charge_id, brought)

    def ask_card(self, asked: answers.CardAsked) -> answers.CardAnswered | answers.DeclinedAnswer:
        raise PartyUnavailable("cards are not simulated")

    def _flow(self, flow: Callable[..., T], *values: object) -> T:
        acquirer = self.process.acquirer
        return flow(acquirer.acquirer, self.process.till, *values, now_ms=acquirer.clock())

    def _ask(self, name: str, act: Callable[[], T], timeout_s: float) -> T:
        network, acquirer = self.process.world.network, self.process.acquirer
        try:
            answer = network.ask(self.process, acquirer, act, name=name, timeout_ms=timeout_s * 1000)
        except (Unreachable, Lost):
            raise PartyUnavailable("the acquirer does not answer: check the network, it is asked again") from None
        if isinstance(answer, Refusal):
            raise type(answer.error)("the acquirer refused the till's request")
        return answer


def _told(action: Action) -> ToldAction:
    amount = action.amount
    asked = (action.id, amount.amount_minor, amount.currency, action.merchant_name, action.description)
    if action.kind == "refund":
        return RefundAction(*asked)
    tips = tuple(TipChoice(tip.amount_minor, tip.percent) for tip in action.tips)
    return ChargeAction(*asked, action.hold_s, tips, action.tip_minor_max)


def _charge_answer(state: ChargeState) -> answers.ChargeAnswer:
    if isinstance(state, Pending):
        return answers.PendingAnswer()
    if isinstance(state, Approved):
        return answers.SignedAnswer(state.signatures)
    if isinstance(state, Paid):
        return _paid_answer(state)
    if isinstance(state, Reserved):
        return answers.ReservedAnswer()
    if isinstance(state, Declined):
        return _declined(state)
    raise InvariantBroken("a charge is pending, approved, paid, reserved or declined")


def _paid_answer(state: Paid) -> answers.PaidAnswer:
    papers = state.papers
    told = None if papers is None else answers.PapersAnswer(papers.reply, papers.signed, papers.naming_secret)
    return answers.PaidAnswer(state.receipt_code, told)


def _declined(state: Declined) -> answers.DeclinedAnswer:
    return answers.DeclinedAnswer(state.reason.value)
