"""
Make a request of what was read: its id, its order, the notes that it asks for, and all of it sealed.
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.ids import ID_BYTES
from handsel.notes.mint import prepare
from handsel.order import ChargeOrder, EnrolmentOrder, RefundOrder
from handsel.till.acquirer import Acquirer
from handsel.till.action import Action, ChargeAction, EnrolmentAction, RefundAction
from handsel.till.collect import best_reading, best_readings, those_of_last
from handsel.till.journal import ChargeEntry
from handsel.till.seal_palm import PalmSealer
from handsel.till.session import ENROLMENT_MERGED
from handsel.till.settle import RESEND_MS_MAX, OpenCharge, OpenEnrolment, OpenRefund, OpenRequest
from handsel.vision.embedding import Probe
from handsel.vision.read_palm import PalmReading, merge_probes, merge_readings


@dataclass(frozen=True, repr=False)
class RequestMaker:
    """
    Make requests with fresh ids. `acquirer` is asked for the keys of notes, and for nothing else.
    """

    sealer: PalmSealer
    acquirer: Acquirer

    def make(self, action: Action, readings: tuple[PalmReading, ...], *, now_ms: int) -> OpenRequest:
        """
        Return the request that `readings` make of `action`, not sent yet. Raises what keeps it from being made.
        """
        if isinstance(action, ChargeAction):
            return self._charge(action, self._merged(readings), now_ms=now_ms)
        if isinstance(action, RefundAction):
            return self._refund(action, self._merged(readings), now_ms=now_ms)
        return self._enrolment(action, readings, now_ms=now_ms)

    def _charge(self, action: ChargeAction, probe: Probe, *, now_ms: int) -> OpenCharge:
        keys = self.acquirer.note_keys()
        amount_minor, currency = action.amount_minor, action.currency
        random_bytes = self.sealer.random_bytes
        secrets, notes = prepare(amount_minor, currency=currency, keys=keys, random_bytes=random_bytes, now_ms=now_ms)
        order = ChargeOrder(self._new_id(), amount_minor, currency, self.sealer.fresh_digest(), notes)
        request = self.sealer.seal_charge(order, payment_intent=action.id, probe=probe)
        entry = ChargeEntry(order.charge_id, action, now_ms, secrets)
        return OpenCharge(entry, request, keys, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _refund(self, action: RefundAction, probe: Probe, *, now_ms: int) -> OpenRefund:
        order = RefundOrder(self._new_id(), action.amount_minor, action.currency, self.sealer.fresh_digest())
        request = self.sealer.seal_refund(order, refund=action.id, probe=probe)
        return OpenRefund(action, request, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _enrolment(self, action: EnrolmentAction, readings: tuple[PalmReading, ...], *, now_ms: int) -> OpenEnrolment:
        order = EnrolmentOrder(self._new_id(), action.code, self.sealer.fresh_digest())
        embedding = merge_readings(best_readings(readings, ENROLMENT_MERGED))
        request = self.sealer.seal_enrolment(order, embedding=embedding, probe=best_reading(readings).probe)
        return OpenEnrolment(action, request, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _merged(self, readings: tuple[PalmReading, ...]) -> Probe:
        return merge_probes(those_of_last(readings, threshold=self.sealer.parties.threshold))

    def _new_id(self) -> str:
        return self.sealer.random_bytes(ID_BYTES).hex()
