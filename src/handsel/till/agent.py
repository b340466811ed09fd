"""
Run one till: take frames while a palm is asked for, make a request of what was read, and bring it to its end.

A frame's pixels, vectors and shares, and a card that is shown, live here for as long as they are needed and are written
nowhere; once a request is sealed, only envelopes are left of them. The agent knows no HTTP of its own and no page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from handsel.clock import Clock
from handsel.config import AttackHintSetting, Parties
from handsel.errors import BodyInvalid, HandselError, InvariantBroken, NotFound
from handsel.ids import ID_BYTES
from handsel.keys import PublicKeys
from handsel.log import Log
from handsel.order import Way
from handsel.till.acquirer import Acquirer, DeclinedAnswer, EnrolledAnswer
from handsel.till.action import Action, EnrolmentAction, typed_code
from handsel.till.agent_state import AgentState, describe
from handsel.till.card import Card
from handsel.till.close_charge import ChargeCloser
from handsel.till.collect import Collected, collect
from handsel.till.conclude import conclude, outcome_name, reason_name
from handsel.till.held_key import CardRefused, HeldKey, unlock
from handsel.till.hint import Hint, TillHint
from handsel.till.journal import Journal
from handsel.till.light import Light, next_light
from handsel.till.make_request import RequestMaker
from handsel.till.screen import Enrolled, Reading, Showing
from handsel.till.seal_palm import PalmSealer
from handsel.till.second_look import Step, next_step
from handsel.till.see_frame import Reader, see_frame
from handsel.till.session import ATTACK_HINT, Session, action_of, frames_needed
from handsel.till.settle import (
    NothingDone,
    OpenCharge,
    OpenEnrolment,
    OpenRequest,
    Outcome,
    Waiting,
    ask_again_later,
    is_due,
    resume,
    settle,
)
from handsel.till.typed_pin import TypedPin
from handsel.vision.qr_code import as_png, draw_qr_code
from handsel.vision.read_palm import PalmReading

FRAME_WAIT_S_MAX = 0.5  # For `poll` to have asked; whoever sends or looks at a frame takes longer, and it is dropped.
POLL_WAIT_S_MAX = 2.0  # For a frame that is being read.
SETTLED_PER_POLL_MAX = 4


class Agent:
    """
    Hold the state of one till. Safe for several threads: a page's requests, and a loop that calls `poll`.

    At any time one frame is looked at, or one request is sent; a frame that comes meanwhile waits a moment, and is
    dropped then. So two frames at once, or a double tap, make one charge.
    """

    def __init__(
        self,
        *,
        reader: Reader,
        acquirer: Acquirer,
        journal: Journal,
        parties: Parties,
        till: PublicKeys,
        receipts_url: str,
        clock: Clock,
        log: Log,
        random_bytes: Callable[[int], bytes],
        attack_hint: AttackHintSetting,
        lights: tuple[Light, ...],
        ways: tuple[Way, ...],
        held_threshold: float,
    ) -> None:
        self._ways = ways
        self._issuer = parties.issuer
        self._held: HeldKey | None = None  # Of the action that is shown, from its card to its end.
        self._pin: TypedPin | None = None  # For the hand that is asked for once more.
        self._card: Card | None = None  # A new one, while it is on the screen.
        self._attack_hint = attack_hint
        self._lights = lights
        self._asked_id = ""  # Of the action whose hand was asked for once more.
        self._reader = reader
        self._acquirer = acquirer
        self._journal = journal
        self._closer = ChargeCloser(journal, parties.issuer, random_bytes, log)
        self._threshold = parties.threshold
        self._receipts_url = receipts_url
        self._clock = clock
        self._log = log
        self._random_bytes = random_bytes
        self._maker = RequestMaker(PalmSealer(parties, till.sign, random_bytes), acquirer, held_threshold)
        self._busy = threading.Lock()  # Held by who looks at a frame, sends or asks; guards `_open`.
        self._lock = threading.Lock()  # Held for a moment by whoever reads or changes the session and its readings.
        self._session = Session()
        self._name = random_bytes(ID_BYTES).hex()
        self._readings: tuple[PalmReading, ...] = ()
        self._light = next_light(lights, last=None, kept=None, random_bytes=random_bytes)  # For the next frame.
        self._is_online = True
        self._open: dict[str, OpenRequest] = {}
        for entry in journal.entries():
            self._open[entry.charge_id] = resume(entry, now_ms=clock())
            self._session = self._session.resume(entry.action.id)

    def state(self) -> AgentState:
        """
        Return what is on the screen now.
        """
        with self._lock:
            self._show(self._session.tick(now_ms=self._clock()))
            return describe(
                self._session,
                name=self._name,
                light=self._light,
                receipts_url=self._receipts_url,
                is_online=self._is_online,
                has_held_key=self._held is not None,
                has_new_card=self._card is not None,
                has_pin=self._pin is not None,
            )

    def card_picture(self, *, session: str) -> bytes:
        """
        Return the new card as a PNG file, while the screen of that `session` shows it. Raises `NotFound` otherwise.
        """
        with self._lock:
            self._show(self._session.tick(now_ms=self._clock()))
            if self._card is None or session != self._name:
                raise NotFound("there is no card to show: it is shown once, when it is made")
            text = self._card.text
        return as_png(draw_qr_code(text))

    def poll(self) -> AgentState:
        """
        Ask for what is open, then for what to show. Never raises because of the acquirer. To be called twice a second.
        """
        if self._busy.acquire(timeout=POLL_WAIT_S_MAX):
            try:
                self._settle_due()
                self._ask_action()
            finally:
                self._busy.release()
        return self.state()

    def see(self, content: bytes, *, session: str, light: Light | None) -> AgentState:
        """
        Look at one frame, taken for `session`; when enough were good, carry out the action and return how it went.

        `light` is what the page showed meanwhile; None where that is not known.
        A frame that nobody waits for, or that waits too long for its turn, is dropped undecoded.
        """
        if self._busy.acquire(timeout=FRAME_WAIT_S_MAX):
            try:
                request = self._look(content, session, light)
                del content
                if request is not None:
                    self._ask(request)
            finally:
                self._busy.release()
        return self.state()

    def begin_enrolment(self, code: str, way: Way = Way.OPEN_HAND) -> AgentState:
        """
        Ask for the palm of whoever was given `code`. Raises `BodyInvalid` for no code, for a way that this till does
        not offer, or while a palm pays.
        """
        if way not in self._ways:
            raise BodyInvalid("this shop does not offer that way of paying: choose the other one")
        typed = typed_code(code)
        now_ms = self._clock()
        with self._lock:
            self._show(self._session.tick(now_ms=now_ms))
            if not self._session.may_enrol:
                raise BodyInvalid("a payment is waiting here: finish or cancel it first")
            self._show(self._session.begin_enrolment(EnrolmentAction(self._new_id(), now_ms, typed, way)))
        return self.state()

    def cancel(self, *, session: str) -> AgentState:
        """
        Put aside what is asked for, and drop what was read. What was sent already is not taken back.
        """
        return self._press(session, lambda shown, now_ms: shown.cancel(now_ms=now_ms))

    def retry(self, *, session: str) -> AgentState:
        """
        Ask again for a palm after a decline, a trouble or `cancel`, where another try is allowed.
        """
        return self._press(session, lambda shown, now_ms: shown.retry(now_ms=now_ms))

    def choose_tip(self, tip_minor: int, *, session: str) -> AgentState:
        """
        Add a tip to what is asked for, or take it back with 0. Raises `BodyInvalid` for one that is not allowed.
        """
        return self._press(session, lambda shown, _: shown.choose_tip(tip_minor))

    def _press(self, name: str, deed: Callable[[Session, int], Session]) -> AgentState:
        """
        Do what a button says, unless by now the screen is about something else than what it was pressed for.
        """
        now_ms = self._clock()
        with self._lock:
            self._show(self._session.tick(now_ms=now_ms))
            if name == self._name:
                self._show(deed(self._session, now_ms))
        return self.state()

    def type_pin(self, typed: str, *, session: str) -> AgentState:
        """
        Hold a PIN for the hand that is asked for next, once more. Raises `BodyInvalid` for what is no PIN, and where
        the screen of that `session` asks for none any more.
        """
        now_ms = self._clock()
        with self._lock:
            self._show(self._session.tick(now_ms=now_ms))
            action = action_of(self._session.screen)
            if action is None or session != self._name or not self._session.may_type_pin:
                raise BodyInvalid("no PIN is asked for any more: look at the screen")
            pin = TypedPin.of(typed, action_id=action.id, now_ms=now_ms)
            self._show(self._session.retry(now_ms=now_ms))
            self._pin = pin
        return self.state()

    def _look(self, content: bytes, name: str, light: Light | None) -> OpenRequest | None:
        """
        Look at one frame and return the request that it completes, or None.

        1. A palm is asked for, and by the name that the frame was taken for.
        2. Read the frame, without holding up who asks for the state. A card in it is unlocked, and palms count anew.
        3. Whatever has happened meanwhile, a cancel say, counts more than the frame.
        4. Enough good frames: do they look like a copy of a hand?
        5. If not, no other is looked at from now on.
        """
        with self._lock:  # 1
            self._show(self._session.tick(now_ms=self._clock()))
            before, held = self._session.screen, self._readings
            if name != self._name or not isinstance(before, Showing | Reading):
                return None
        ways = self._ways if self._held is None else ()
        seen = see_frame(self._reader, content, before.action, ways=ways)  # 2
        if isinstance(seen, Card):
            self._unlock(seen, before)
            return None
        collected = self._collect(seen, light, held, before.action)
        good, step = len(collected.readings), self._weigh(collected.readings, before.action)  # 4
        now_ms = self._clock()
        with self._lock:
            if self._session.screen != before:  # 3
                return None
            self._light = self._next_light(collected.readings)
            if good < frames_needed(before.action):
                self._show(self._session.saw(good=good, hint=collected.hint, now_ms=now_ms))
                self._readings = collected.readings
                return None
            if step is not Step.GO_ON:
                self._look_again(before.action, step, now_ms=now_ms)
                return None
            self._show(self._session.work(now_ms=now_ms))  # 5
        return self._make(before.action, collected.readings, now_ms=now_ms)

    def _weigh(self, readings: tuple[PalmReading, ...], action: Action) -> Step:
        if len(readings) < frames_needed(action):
            return Step.GO_ON
        return next_step(readings, self._attack_hint, is_second=self._asked_id == action.id)

    def _look_again(self, action: Action, step: Step, *, now_ms: int) -> None:
        # The caller holds `_lock`.
        self._readings = ()
        self._asked_id = action.id
        if step is Step.REFUSE:
            self._show(self._session.declined(action, reason=ATTACK_HINT, now_ms=now_ms))
        else:
            self._show(self._session.saw(good=0, hint=TillHint.ONCE_MORE, now_ms=now_ms))

    def _next_light(self, readings: tuple[PalmReading, ...]) -> Light | None:
        kept = readings[-1].shown if readings else None
        return next_light(self._lights, last=self._light, kept=kept, random_bytes=self._random_bytes)

    def _unlock(self, card: Card, before: Showing | Reading) -> None:
        """
        Ask the issuer about a card. What it says counts only if the screen is still the one that the card was shown to.
        """
        try:
            found = unlock(self._acquirer, self._issuer, card, before.action)
        except HandselError as exc:
            self._conclude(before.action, NothingDone(exc.code, exc.is_retryable))
            return
        with self._lock:
            now_ms = self._clock()
            if self._session.screen != before:
                return
            if isinstance(found, CardRefused):
                self._show(self._session.declined(before.action, reason=found.reason, now_ms=now_ms))
                return
            self._show(self._session.saw(good=0, hint=TillHint.CARD_READ, now_ms=now_ms))
            self._readings, self._held = (), found

    def _collect(
        self, seen: PalmReading | Hint, light: Light | None, held: tuple[PalmReading, ...], action: Action
    ) -> Collected:
        if isinstance(seen, PalmReading):
            needs_card = Way.OPEN_HAND not in self._ways and self._held is None
            if needs_card and not isinstance(action, EnrolmentAction):
                return Collected((), TillHint.SHOW_CARD)
            lit = replace(seen, shown=light.linear if light in self._lights else None)
            return collect(held, seen=lit, action=action, threshold=self._threshold)
        return Collected(held, seen)

    def _make(self, action: Action, readings: tuple[PalmReading, ...], *, now_ms: int) -> OpenRequest | None:
        """
        Return the request, in the journal if it is a charge; or show why there is none. Nothing is sent here.
        """
        try:
            request = self._maker.make(action, readings, self._held, self._pin, now_ms=now_ms)
            if isinstance(request, CardRefused):
                self._conclude(action, DeclinedAnswer(request.reason))
                return None
            if isinstance(request, OpenCharge):
                self._journal.add(request.entry)
        except HandselError as exc:
            self._conclude(action, NothingDone(exc.code, exc.is_retryable))
            return None
        except Exception:
            self._conclude(action, NothingDone(InvariantBroken.code, is_retryable=False))
            raise
        self._held = self._pin = None
        self._open[request.id] = request
        return request

    def _settle_due(self) -> None:
        due = [request for request in self._open.values() if is_due(request, now_ms=self._clock())]
        for request in due[:SETTLED_PER_POLL_MAX]:
            self._ask(request)

    def _ask(self, request: OpenRequest) -> None:
        outcome = settle(self._acquirer, request, now_ms=self._clock())
        if isinstance(outcome, Waiting):
            self._open[request.id] = ask_again_later(request, now_ms=self._clock())
        else:
            del self._open[request.id]
            if isinstance(request, OpenCharge):
                self._closer.close(request.entry, outcome, now_ms=self._clock())
        return_code = request.entry.return_code if isinstance(request, OpenCharge) else ""
        self._conclude(request.action, outcome, return_code=return_code)
        if isinstance(outcome, EnrolledAnswer) and isinstance(request, OpenEnrolment):
            self._show_card(request)

    def _show_card(self, request: OpenEnrolment) -> None:
        with self._lock:
            screen = self._session.screen
            is_shown = isinstance(screen, Enrolled) and screen.action == request.action
            self._card = request.card if is_shown else None

    def _conclude(self, action: Action, outcome: Outcome, *, return_code: str = "") -> None:
        now_ms = self._clock()
        with self._lock:
            self._show(conclude(self._session, action, outcome, now_ms=now_ms, return_code=return_code))
        self._log.event("request.asked", outcome=outcome_name(outcome), reason=reason_name(outcome))

    def _ask_action(self) -> None:
        try:
            told = self._acquirer.action()
        except HandselError as exc:
            if self._is_online:  # Said once, not twice a second.
                self._log.event("acquirer.lost", code=exc.code)
            self._is_online = False
            return
        self._is_online = True
        with self._lock:
            self._show(self._session.tell(told, now_ms=self._clock()))

    def _show(self, session: Session) -> None:
        # The caller holds `_lock`. What was read is for one reading only, and frames are for what was shown first.
        is_new = isinstance(session.screen, Showing) and session.screen != self._session.screen
        self._session = session
        if not isinstance(session.screen, Reading):
            self._readings = ()
        if not isinstance(session.screen, Enrolled):
            self._card = None
        if self._held is not None and not session.may_hold(self._held.action_id):
            self._held = None
        if self._pin is not None and not self._pin.is_needed(session, now_ms=self._clock()):
            self._pin = None
        if is_new:
            self._name = self._new_id()

    def _new_id(self) -> str:
        return self._random_bytes(ID_BYTES).hex()
