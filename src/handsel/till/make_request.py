"""
Make a request of what was read: its id, its order, the notes that it asks for, and all of it sealed.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from handsel.ids import ID_BYTES
from handsel.keys import KEY_BYTES
from handsel.notes.mint import prepare
from handsel.notes.note import PublicNoteKeys
from handsel.order import NO_PIN, ChargeOrder, EnrolmentOrder, NoteRequest, RefundOrder, Way
from handsel.return_code import draw_return_code
from handsel.till.acquirer import Acquirer
from handsel.till.action import Action, ChargeAction, EnrolmentAction, RefundAction
from handsel.till.card import Card
from handsel.till.collect import best_reading, best_readings, those_of_last
from handsel.till.held_key import CardRefused, HeldKey
from handsel.till.journal import ChargeEntry
from handsel.till.seal_palm import PalmSealer, RandomBytes
from handsel.till.seal_receipt import reply_key_of
from handsel.till.session import ENROLMENT_MERGED
from handsel.till.settle import RESEND_MS_MAX, OpenCharge, OpenEnrolment, OpenRefund, OpenRequest
from handsel.till.typed_pin import TypedPin
from handsel.vision.embedding import Probe
from handsel.vision.read_palm import PalmReading, merge_probes, merge_readings


def prepare_notes(
    entry: ChargeEntry, *, keys: PublicNoteKeys, random_bytes: RandomBytes
) -> tuple[ChargeEntry, tuple[NoteRequest, ...]]:
    """
    Return the entry of a charge with what makes its notes, and what is asked for: nothing where it only reserves.

    Raises `BodyInvalid` where no key signs a denomination that is needed.
    """
    action = entry.action
    if action.hold_s:
        return entry, ()
    secrets, notes = prepare(
        action.total_minor,
        currency=action.currency,
        keys=keys,
        random_bytes=random_bytes,
        now_ms=entry.begun_ms,
        serial_at=entry.serial_at,
    )
    return replace(entry, secrets=secrets), notes


@dataclass(frozen=True, repr=False)
class RequestMaker:
    """
    Make requests with fresh ids. `acquirer` is asked for the keys of notes, and for nothing else. `held_threshold` is
    the cosine from which a palm is the one that a card was made with.
    """

    sealer: PalmSealer
    acquirer: Acquirer
    held_threshold: float

    def make(
        self,
        action: Action,
        readings: tuple[PalmReading, ...],
        held: HeldKey | None,
        pin: TypedPin | None,
        *,
        now_ms: int,
    ) -> OpenRequest | CardRefused:
        """
        Return the request that `readings` make of `action`, not sent yet. Raises what keeps it from being made.

        With a `held` key the palm is compared here, and where it is another, nothing is made of it. A `pin` goes into
        the order of a charge, which is sealed to the issuer.
        """
        if isinstance(action, EnrolmentAction):
            make = self._card_enrolment if action.way is Way.HELD_KEY else self._enrolment
            return make(action, readings, now_ms=now_ms)
        probe = self._merged(readings)
        refused = held.refuse(probe, threshold=self.held_threshold) if held else None
        if refused is not None:
            return refused
        shown = held.card if held else probe
        if isinstance(action, ChargeAction):
            return self._charge(action, shown, NO_PIN if pin is None else pin.padded, now_ms=now_ms)
        return self._refund(action, shown, now_ms=now_ms)

    def _charge(self, action: ChargeAction, shown: Probe | Card, pin: bytes, *, now_ms: int) -> OpenCharge:
        keys = self.acquirer.note_keys()
        amount_minor, currency = action.total_minor, action.currency
        reply_secret = self.sealer.random_bytes(KEY_BYTES)
        digest, reply_key = self.sealer.fresh_digest(), reply_key_of(reply_secret)
        entry = ChargeEntry(
            self._new_id(), action, now_ms, (), reply_secret, draw_return_code(self.sealer.random_bytes)
        )
        entry, notes = prepare_notes(entry, keys=keys, random_bytes=self.sealer.random_bytes)
        order = ChargeOrder(entry.order_id, amount_minor, currency, digest, notes, pin, action.hold_s, reply_key)
        if isinstance(shown, Card):
            request = self.sealer.seal_held_charge(order, entry=entry, card=shown)
        else:
            request = self.sealer.seal_charge(order, entry=entry, probe=shown)
        return OpenCharge(entry, request, keys, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _refund(self, action: RefundAction, shown: Probe | Card, *, now_ms: int) -> OpenRefund:
        order = RefundOrder(self._new_id(), action.amount_minor, action.currency, self.sealer.fresh_digest())
        if isinstance(shown, Card):
            request = self.sealer.seal_held_refund(order, attempt_id=self._new_id(), refund=action.id, card=shown)
        else:
            request = self.sealer.seal_refund(order, attempt_id=self._new_id(), refund=action.id, probe=shown)
        return OpenRefund(action, request, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _enrolment(self, action: EnrolmentAction, readings: tuple[PalmReading, ...], *, now_ms: int) -> OpenEnrolment:
        order = EnrolmentOrder(self._new_id(), action.code, self.sealer.fresh_digest())
        embedding = merge_readings(best_readings(readings, ENROLMENT_MERGED))
        probe = best_reading(readings).probe
        request = self.sealer.seal_enrolment(order, enrolment_id=self._new_id(), embedding=embedding, probe=probe)
        return OpenEnrolment(action, request, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _card_enrolment(
        self, action: EnrolmentAction, readings: tuple[PalmReading, ...], *, now_ms: int
    ) -> OpenEnrolment:
        card = Card.draw(self.sealer.random_bytes)
        embedding = merge_readings(best_readings(readings, ENROLMENT_MERGED))
        request = self.sealer.seal_card(action, enrolment_id=self._new_id(), embedding=embedding, card=card)
        return OpenEnrolment(action, request, card, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)

    def _merged(self, readings: tuple[PalmReading, ...]) -> Probe:
        return merge_probes(those_of_last(readings, threshold=self.sealer.parties.threshold))

    def _new_id(self) -> str:
        return self.sealer.random_bytes(ID_BYTES).hex()
