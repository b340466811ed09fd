"""
Hold the state of one moment at the till, and say which screen follows which. Pure: no clock, no camera, no network.

    Idle ──► Showing ──► Reading ──► Working ──► Paid | Refunded | Enrolled ──► Idle
                ↑___________│           ├──► Declined ──► Showing, while another try is allowed
                ↑                       └──► Trouble  ──► Showing, once nothing is open
    Showing | Reading ──cancel──► PutAside, or Idle ──retry──► Showing

An action whose last request has no known outcome is in `unsettled`, and is never shown as one to hold a palm out for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from handsel.errors import ensure
from handsel.order import Way
from handsel.till.action import Action, ChargeAction, EnrolmentAction, RefundAction, ToldAction
from handsel.till.hint import Hint
from handsel.till.screen import (
    Declined,
    Enrolled,
    Idle,
    Paid,
    PutAside,
    Reading,
    Refunded,
    Screen,
    Showing,
    Trouble,
    Working,
)

# Good frames for a charge or a refund: their mean is asked with. Of drawn people it finds the same palm at 0.57 and
# more in 99 of 100, where the better of the two has 0.47, and lifts strangers by less than 0.01.
CHARGE_FRAMES = 2
ENROLMENT_FRAMES = 5  # Good frames for an enrolment, of which the best `ENROLMENT_MERGED` are enrolled: their mean.
ENROLMENT_MERGED = 3
FRAMES_MAX = 300  # Of one reading, good or not: a minute at five frames a second.
READ_MS_MAX = 30_000  # A reading that takes longer begins anew, so that no frame is older.
ENROLMENT_MS_MAX = 120_000  # From the code to the palm: nobody is enrolled with the code of who stood here before.
WORK_MS_MAX = 30_000  # Then the till goes on with what it is asked next; the outcome is still asked for.
PAID_MS = 6_000
ENROLLED_MS = 6_000
CARD_SHOWN_MS = 120_000  # Time to photograph a new card or to print it; a button is quicker.
DECLINE_PAUSE_MS = 5_000  # Long enough to read why, short enough for a hand that waits; a button is quicker.
REFUSED_MS = 6_000  # After a decline that another try would not change.
TROUBLE_MS = 5_000
ATTEMPTS_MAX = 3  # Palms sent for one action.

NO_PALM_SHOWN = "no_palm_shown"
ATTEMPTS_USED_UP = "attempts_used_up"
ATTACK_HINT = "attack_hint"
VOIDED = "voided"
NEVER_KNOWN = "never_known"
ASKED_TOO_OFTEN = "asked_too_often"  # The till must wait. No palm was asked with, so that this is no try.
NOT_RECOGNISED = "not_recognised"
CARD_UNKNOWN = "card_unknown"  # To the issuer, or made for another model: it is enrolled again.
CARD_LOCKED = "card_locked"
NEEDS_SECOND_FACTOR = "needs_second_factor"
WRONG_PIN = "wrong_pin"
PIN_REASONS = frozenset({NEEDS_SECOND_FACTOR, WRONG_PIN})  # After these a PIN is asked for.
UNCOUNTED_REASONS = frozenset({ASKED_TOO_OFTEN, NEEDS_SECOND_FACTOR})  # Nothing was wrong with the palm.
RETRYABLE_REASONS = frozenset({NOT_RECOGNISED, "ambiguous", "bound_to_other"})


@dataclass(frozen=True)
class Session:
    """
    Hold the screen and what decides on the next one.

    `told` is what the acquirer asks for, `finished_id` the last action that ended well, `tried_id` and `tried` how many
    palms were declined for an action.
    """

    screen: Screen = field(default_factory=Idle)
    told: ToldAction | None = None
    unsettled: frozenset[str] = frozenset()
    finished_id: str = ""
    tried_id: str = ""
    tried: int = 0

    def tell(self, told: ToldAction | None, *, now_ms: int) -> Session:
        """
        Return the session with what the acquirer asks for now.
        """
        return replace(self, told=told).tick(now_ms=now_ms)

    def tick(self, *, now_ms: int) -> Session:
        """
        Return the session as it is at `now_ms`; the session itself where nothing has changed.
        """
        screen = self._screen_at(now_ms)
        return self if screen == self.screen else replace(self, screen=screen)

    def saw(self, *, good: int, hint: Hint | None, now_ms: int) -> Session:
        """
        Return the session after one more frame: `good` frames count now; `hint` says why this one did not.
        """
        screen = self.screen
        ensure(isinstance(screen, Showing | Reading), "frames count only while a palm is asked for")
        action = action_of(screen)
        ensure(action is not None and 0 <= good <= frames_needed(action), "no more frames count than are needed")
        if action is None:
            return self
        frames, begun_ms = (screen.frames, screen.begun_ms) if isinstance(screen, Reading) else (0, now_ms)
        return replace(self, screen=Reading(action, good, frames_needed(action), hint, frames + 1, begun_ms))

    def work(self, *, now_ms: int) -> Session:
        """
        Return the session once enough frames are here: from now on this action is unsettled.
        """
        screen = self.screen
        ensure(isinstance(screen, Showing | Reading), "work begins with frames")
        action = action_of(screen)
        if action is None:
            return self
        screen = Working(action, now_ms + WORK_MS_MAX)
        return replace(self, screen=screen, unsettled=self.unsettled | {action.id})

    def resume(self, action_id: str) -> Session:
        """
        Return the session with an action whose request was sent before the till was started.
        """
        return replace(self, unsettled=self.unsettled | {action_id})

    def paid(self, action: ChargeAction, *, receipt_code: str, now_ms: int) -> Session:
        """
        Return the session after a payment.
        """
        return self._finish(action.id, Paid(action, receipt_code, now_ms + PAID_MS))

    def refunded(self, action: RefundAction, *, receipt_code: str, now_ms: int) -> Session:
        """
        Return the session after a refund.
        """
        return self._finish(action.id, Refunded(action, receipt_code, now_ms + PAID_MS))

    def enrolled(self, action: EnrolmentAction, *, now_ms: int) -> Session:
        """
        Return the session after an enrolment.
        """
        shown_ms = CARD_SHOWN_MS if action.way is Way.HELD_KEY else ENROLLED_MS
        return self._finish(action.id, Enrolled(action, now_ms + shown_ms))

    def declined(self, action: Action, *, reason: str, now_ms: int) -> Session:
        """
        Return the session after a decline. Another try is allowed for some reasons, `ATTEMPTS_MAX` times in all.
        """
        tried = (self.tried if self.tried_id == action.id else 0) + (reason not in UNCOUNTED_REASONS)
        may_retry = (
            reason in RETRYABLE_REASONS and tried < ATTEMPTS_MAX and isinstance(action, ChargeAction | RefundAction)
        )
        screen = Declined(action, reason, may_retry, now_ms + (DECLINE_PAUSE_MS if may_retry else REFUSED_MS))
        settled = self._settle(action.id)
        return replace(settled._show(screen, action.id), tried_id=action.id, tried=tried)

    def troubled(self, action: Action, *, code: str, is_retryable: bool, now_ms: int) -> Session:
        """
        Return the session when nothing came of an action, and nothing can come of it any more.
        """
        shown = self.screen
        if code == VOIDED and isinstance(shown, Trouble) and shown.is_open and shown.action.id == action.id:
            code = shown.code  # Why it was voided says more.
        screen = Trouble(action, code, is_retryable=is_retryable, is_open=False, until_ms=now_ms + TROUBLE_MS)
        return self._settle(action.id)._show(screen, action.id)

    def waits(self, action: Action, *, code: str, now_ms: int) -> Session:
        """
        Return the session while the outcome of an action is not known, and the party to ask does not answer.
        """
        screen = self.screen
        until_ms = screen.until_ms if isinstance(screen, Working | Trouble) else now_ms + WORK_MS_MAX
        if isinstance(screen, Working) and until_ms <= now_ms:
            return self
        return self._show(Trouble(action, code, is_retryable=True, is_open=True, until_ms=until_ms), action.id)

    def begin_enrolment(self, action: EnrolmentAction) -> Session:
        """
        Return the session with an enrolment. The caller checks `may_enrol` first.
        """
        ensure(self.may_enrol, "one action at a time")
        return replace(self, screen=Showing(action))

    def may_hold(self, action_id: str) -> bool:
        """
        Say whether a card that was shown for an action may be needed again: a palm is asked for, or will be.
        """
        screen = self.screen
        is_asked = isinstance(screen, Showing | Reading | Working) or (
            isinstance(screen, Declined) and screen.may_retry
        )
        action = action_of(screen)
        return is_asked and action is not None and action.id == action_id

    @property
    def may_enrol(self) -> bool:
        """
        Say whether an enrolment may begin: nothing else is asked for, or being found out.
        """
        screen = self.screen
        if isinstance(screen, Idle | Paid | Refunded | Enrolled | PutAside):
            return True
        return (
            isinstance(action_of(screen), EnrolmentAction) and not isinstance(screen, Working) and not _is_open(screen)
        )

    def cancel(self, *, now_ms: int) -> Session:
        """
        Return the session after the customer said no. What was sent already is not taken back.
        """
        screen = self.screen
        if isinstance(screen, Idle) or not self.may_cancel:
            return self
        is_over = isinstance(screen, Paid | Refunded | Enrolled)
        if self.told is not None and screen.action == self.told and not is_over:
            return replace(self, screen=PutAside(self.told))
        return replace(self, screen=self._next(now_ms))

    @property
    def may_cancel(self) -> bool:
        """
        Say whether there is something to cancel.
        """
        return not isinstance(self.screen, Idle | Working | PutAside) and not _is_open(self.screen)

    @property
    def may_retry(self) -> bool:
        """
        Say whether the same may be asked for again at once. There are `ATTEMPTS_MAX` tries in all.
        """
        screen = self.screen
        if not isinstance(screen, PutAside | Declined | Trouble) or _is_open(screen):
            return False
        if isinstance(screen.action, EnrolmentAction):
            return isinstance(screen, Trouble) and screen.is_retryable
        is_used_up = self.tried_id == screen.action.id and self.tried >= ATTEMPTS_MAX
        return screen.action == self.told and not is_used_up

    @property
    def may_type_pin(self) -> bool:
        """
        Say whether a PIN is asked for, to be followed by the hand once more.
        """
        screen = self.screen
        return (
            isinstance(screen, Declined)
            and isinstance(screen.action, ChargeAction)
            and screen.reason in PIN_REASONS
            and self.may_retry
        )

    def retry(self, *, now_ms: int) -> Session:
        """
        Return the session after the customer asked for another try.
        """
        action = action_of(self.screen)
        if action is None or not self.may_retry:
            return self
        return replace(self, screen=Showing(action)).tick(now_ms=now_ms)

    def _screen_at(self, now_ms: int) -> Screen:
        screen = self.screen
        if isinstance(screen, Showing | Reading):
            return self._asking_at(screen, now_ms)
        if isinstance(screen, Idle):
            return self._next(now_ms)
        if isinstance(screen, PutAside):
            return screen if self.told == screen.action else self._next(now_ms)
        if now_ms < screen.until_ms:
            return screen
        if isinstance(screen, Trouble) and isinstance(screen.action, EnrolmentAction) and screen.is_retryable:
            return screen if screen.is_open else self._asking_at(Showing(screen.action), now_ms)
        stays = isinstance(screen, Declined) and not screen.may_retry
        stays = stays or (isinstance(screen, Trouble) and not screen.is_retryable)
        return screen if stays and screen.action == self.told else self._next(now_ms)

    def _asking_at(self, screen: Showing | Reading, now_ms: int) -> Screen:
        action = screen.action
        if isinstance(action, EnrolmentAction):
            if now_ms - action.begun_ms >= ENROLMENT_MS_MAX:
                return Declined(action, NO_PALM_SHOWN, may_retry=False, until_ms=now_ms + REFUSED_MS)
        elif action != self.told:
            return self._next(now_ms)
        if isinstance(screen, Reading) and (screen.frames >= FRAMES_MAX or now_ms - screen.begun_ms >= READ_MS_MAX):
            return Showing(action)
        return screen

    def _next(self, now_ms: int) -> Screen:
        told = self.told
        if told is None or told.id == self.finished_id:
            return Idle()
        if told.id in self.unsettled:
            return Working(told, until_ms=0)
        if told.id == self.tried_id and self.tried >= ATTEMPTS_MAX:
            return Declined(told, ATTEMPTS_USED_UP, may_retry=False, until_ms=now_ms)
        return Showing(told)

    def _finish(self, action_id: str, screen: Screen) -> Session:
        finished = replace(self._settle(action_id), finished_id=action_id)
        return finished._show(screen, action_id)

    def _settle(self, action_id: str) -> Session:
        return replace(self, unsettled=self.unsettled - {action_id})

    def _show(self, screen: Screen, action_id: str) -> Session:
        """
        Return the session with `screen`, unless by now the till is about something else.
        """
        action = action_of(self.screen)
        return replace(self, screen=screen) if action is None or action.id == action_id else self


def frames_needed(action: Action) -> int:
    """
    Return how many good frames an action takes.
    """
    return ENROLMENT_FRAMES if isinstance(action, EnrolmentAction) else CHARGE_FRAMES


def action_of(screen: Screen) -> Action | None:
    """
    Return what a screen is about, or None.
    """
    return None if isinstance(screen, Idle) else screen.action


def _is_open(screen: Screen) -> bool:
    return isinstance(screen, Trouble) and screen.is_open
