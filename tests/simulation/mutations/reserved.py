"""
Plant bugs in what is reserved and captured later, and in tips.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from handsel.flows.acquiring import capture_payment, request_payment, settle_capture
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.flows.acquiring.ports import Voided
from handsel.flows.issuing import capture_charge, charge, give_back, void_charge
from handsel.flows.issuing.issuer import Issuer
from handsel.order import ChargeOrder
from handsel.pay import batch, ledger
from handsel.pay.ledger import Booked, Refused
from handsel.pay.money import Money
from handsel.pay.payment import Charge, PaymentIntent, PaymentStatus
from handsel.store import issuer_hold, issuer_note
from handsel.store.acquirer_captures import CaptureTable
from handsel.store.database import UnitOfWork
from handsel.till import agent_state, make_request, session
from handsel.till.acquirer import ChargeRequest
from handsel.till.action import ChargeAction
from handsel.till.session import Session
from tests.simulation import acquirer_party, issuer_party
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.patches import Patches

# At the issuer.


def _keeps_the_rest(patches: Patches) -> None:
    right = ledger.decide_capture

    def wrong(capture: Any, **rest: Any) -> Booked | Refused:
        decision = right(capture, **rest)
        if isinstance(decision, Refused):
            return decision
        return Booked(decision.entries, -capture.money.amount_minor)

    patches.put(batch, "decide_capture", wrong)


def _captures_again(patches: Patches) -> None:
    patches.put(capture_charge, "_repeat", lambda row, hold, digest: None)


def _captures_late(patches: Patches) -> None:
    right = ledger.decide_capture
    patches.put(capture_charge, "_refuse", lambda hold, wanted, *, now_ms: None)
    patches.put(batch, "decide_capture", lambda capture, *, now_ms, **rest: right(capture, now_ms=0, **rest))


def _lets_any_acquirer(patches: Patches) -> None:
    def wrong(uow: UnitOfWork, charge_id: str, acquirer: str) -> Any:
        hold = issuer_hold.find_hold(uow, charge_id)
        return right(uow, charge_id, hold.acquirer if hold else acquirer)

    right = capture_charge.reserved_by
    patches.put(capture_charge, "reserved_by", wrong)
    patches.put(give_back, "reserved_by", wrong)


def _void_undoes_a_reservation(patches: Patches) -> None:
    right = issuer_hold.find_hold

    def wrong(issuer: Issuer, charge_id: str, *, acquirer: str) -> Any:
        patches.put(issuer_hold, "find_hold", lambda uow, charge_id: None)
        try:
            return void(issuer, charge_id, acquirer=acquirer)
        finally:
            patches.put(issuer_hold, "find_hold", right)

    void = void_charge.void_charge
    patches.put(acquirer_party, "void_charge", wrong)


def _expires_early(patches: Patches) -> None:
    right = void_charge.expire_charges
    patches.put(
        issuer_party,
        "expire_charges",
        lambda issuer: right(replace(issuer, clock=lambda: issuer.clock() + 5_000)),
    )


def _expires_and_says_nothing(patches: Patches) -> None:
    patches.put(void_charge, "charges", _Without(issuer_note, "void_reserved_charge"))


class _Without:
    """
    Be a module of which one function does nothing.
    """

    def __init__(self, module: Any, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        return (lambda *_, **__: None) if name == self._name else getattr(self._module, name)


def _holds_as_long_as_is_wanted(patches: Patches) -> None:
    right = charge._reserve
    patches.put(
        charge,
        "_reserve",
        lambda issuer, *values, **rest: right(replace(issuer, hold_ms_max=1 << 40), *values, **rest),
    )


def _debits_what_is_to_be_reserved(patches: Patches) -> None:
    right = charge._reserve

    def wrong(issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, *values: Any, **rest: Any) -> Any:
        return right(issuer, uow, msgspec.structs.replace(wanted, hold_s=0), *values, **rest)

    patches.put(charge, "_reserve", wrong)


# At the acquirer.


def _captures_all_of_it(patches: Patches) -> None:
    right = capture_payment._wanted
    patches.put(
        capture_payment,
        "_wanted",
        lambda payment, charged, amount_minor, tip_minor: right(payment, charged, None, None),
    )


def _asks_with_other_notes(patches: Patches) -> None:
    def wrong(acquirer: Acquirer, charge_id: str, *, now_ms: int) -> Any:
        with acquirer.store.unit_of_work() as books:
            _, payment = settle_capture.charge_and_payment(books, charge_id)
            capture = books.captures.find(charge_id)
        if capture is not None and capture.status == "ordered":
            amount = Money(payment.captured_minor or 1, payment.amount.currency)
            settle_capture._renew(acquirer, capture, amount, now_ms=now_ms)
        return right(acquirer, charge_id, now_ms=now_ms)

    right = settle_capture.settle_capture
    patches.put(settle_capture, "settle_capture", wrong)
    patches.put(capture_payment, "settle_capture", wrong)


def _captures_and_forgets(patches: Patches) -> None:
    patches.put(CaptureTable, "add", lambda self, capture: None)


def _resolves_no_capture(patches: Patches) -> None:
    patches.put(acquirer_party, "resolve_captures", lambda acquirer, *, now_ms: 0)


def _waits_for_its_clock(patches: Patches) -> None:
    right = CaptureTable.unresolved
    patches.put(
        CaptureTable,
        "unresolved",
        lambda self, *, until_ms, now_ms, limit: right(self, until_ms=until_ms, now_ms=1 << 60, limit=limit),
    )


def _expires_nothing(patches: Patches) -> None:
    patches.put(acquirer_party, "expire_reservations", lambda acquirer, *, now_ms: 0)


def _cancels_by_itself(patches: Patches) -> None:
    right = settle_capture.give_back

    def wrong(acquirer: Acquirer, charge_id: str, **rest: Any) -> Any:
        return right(replace(acquirer, issuer=_DeafIssuer()), charge_id, **rest)  # type: ignore[arg-type]

    patches.put(request_payment, "give_back", wrong)


class _DeafIssuer:
    """
    Say that all is given back, and do nothing.
    """

    def give_back(self, charge_id: str) -> Voided:
        return Voided()


def _takes_the_tip_for_the_price(patches: Patches) -> None:
    def wanted(payment: PaymentIntent, charged: Charge, amount_minor: int | None, tip_minor: int | None) -> Any:
        whole_minor = payment.amount.amount_minor + charged.tip_minor
        amount = whole_minor if amount_minor is None else amount_minor
        return capture_payment._Wanted(amount, min(charged.tip_minor, amount) if tip_minor is None else tip_minor)

    def capturing(self: PaymentIntent, *, amount_minor: int, tip_minor: int) -> PaymentIntent:
        moving = PaymentStatus.PROCESSING
        return replace(self, status=moving, captured_minor=amount_minor, tip_minor=tip_minor)

    patches.put(capture_payment, "_wanted", wanted)
    patches.put(PaymentIntent, "capturing", capturing)


# At the till.


def _keeps_a_tip_for_the_next(patches: Patches) -> None:
    right = Session.tell

    def wrong(self: Session, told: Any, *, now_ms: int) -> Session:
        after = right(self, told, now_ms=now_ms)
        if not (isinstance(self.told, ChargeAction) and isinstance(after.told, ChargeAction)):
            return after
        tip_minor = min(self.told.tip_minor, after.told.tip_minor_max)
        return replace(after, told=after.told.with_tip(tip_minor)).tick(now_ms=now_ms)

    patches.put(session.Session, "tell", wrong)


def _hides_the_tip(patches: Patches) -> None:
    right = agent_state._with_action

    def wrong(state: Any, action: Any) -> Any:
        shown = right(state, action)
        return msgspec.structs.replace(shown, amount_minor=getattr(action, "amount_minor", None))

    patches.put(agent_state, "_with_action", wrong)


def _keeps_the_tip_to_itself(patches: Patches) -> None:
    right = make_request.RequestMaker._charge

    def wrong(self: Any, *values: Any, **rest: Any) -> Any:
        made = right(self, *values, **rest)
        return made if made.request is None else replace(made, request=_untipped(made.request))

    patches.put(make_request.RequestMaker, "_charge", wrong)


def _untipped(request: ChargeRequest) -> ChargeRequest:
    return msgspec.structs.replace(request, tip_minor=0)


MUTATIONS = (
    Mutation("rest-kept", "after a capture the rest stays reserved", _keeps_the_rest),
    Mutation("captured-again", "what was captured is captured once more", _captures_again),
    Mutation("captured-late", "what is over is captured", _captures_late),
    Mutation("any-acquirer", "any acquirer captures and gives back", _lets_any_acquirer),
    Mutation("void-of-reserved", "who does not know how it ended has it given back", _void_undoes_a_reservation),
    Mutation("expiry-early", "what is reserved is given back too soon", _expires_early),
    Mutation("expiry-unsaid", "what is over is given back, and its charge stays reserved", _expires_and_says_nothing),
    Mutation("hold-unbounded", "a sum is reserved for as long as a till wants", _holds_as_long_as_is_wanted),
    Mutation("hold-ignored", "what is only to be reserved is charged", _debits_what_is_to_be_reserved),
    Mutation("capture-all", "a part is asked for, and all of it captured", _captures_all_of_it),
    Mutation("capture-other-notes", "a capture that is sent again asks for other notes", _asks_with_other_notes),
    Mutation("capture-unwritten", "a capture is not written down before it is sent", _captures_and_forgets),
    Mutation("resolve-no-capture", "an interrupted capture stays as it is", _resolves_no_capture),
    Mutation("capture-clock", "a capture from before a clock was set back is waited for", _waits_for_its_clock),
    Mutation("expire-nothing", "an acquirer never learns that a time is over", _expires_nothing),
    Mutation("cancel-unasked", "a reservation is canceled, and the issuer not told", _cancels_by_itself),
    Mutation("tip-as-price", "a tip that is left out is captured all the same", _takes_the_tip_for_the_price),
    Mutation("tip-carried", "a tip stays for the next customer", _keeps_a_tip_for_the_next),
    Mutation("tip-hidden", "the sum on the screen is without the tip", _hides_the_tip),
    Mutation("tip-untold", "the till does not tell the acquirer of the tip", _keeps_the_tip_to_itself),
)  # fmt: skip
