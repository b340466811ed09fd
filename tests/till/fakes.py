"""
Stand in for what surrounds a till: a reader that is told what it sees, and an acquirer that can open what is sealed.

The acquirer here holds the keys of issuer and matchers, which the real one never does: so a test sees what the till
sealed to whom.
"""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from handsel.certificate import make_certificate
from handsel.config import MatcherParty, Parties
from handsel.envelope import open_envelope, seal_reply
from handsel.errors import NotFound, PartyUnavailable
from handsel.keys import PartyKeys
from handsel.matching.message import MATCHERS, QUERY, TEMPLATE, PerMatcher, Query, Template
from handsel.matching.ring import Words, multiply_words, negate_odd, weight_at_zero
from handsel.naming import NAMING_TAGS, naming_key_of, naming_tag
from handsel.notes.issue import NoteKeys
from handsel.notes.note import Note, PublicNoteKeys, verify_note
from handsel.order import (
    CARD_ANSWER,
    CARD_ENROLMENT,
    CARD_REQUEST,
    CHARGE,
    CHARGE_REPLY,
    ENROLMENT,
    REFUND,
    SEALED_TEMPLATE_BYTES,
    CardAnswer,
    CardOrder,
    CardRequest,
    CardState,
    ChargeOrder,
    ChargeReply,
    EnrolmentOrder,
    RefundOrder,
)
from handsel.receipt import ReceiptNote, Statement, name_of_signer, sign_statement
from handsel.till.acquirer import (
    CardAnswered,
    CardAsked,
    ChargeAnswer,
    ChargeRequest,
    DeclinedAnswer,
    EnrolledAnswer,
    EnrolmentAnswer,
    EnrolmentRequest,
    PaidAnswer,
    PapersAnswer,
    PendingAnswer,
    ReceiptBrought,
    RefundAnswer,
    RefundedAnswer,
    RefundRequest,
    ReservedAnswer,
    SignedAnswer,
)
from handsel.till.action import ChargeAction, RefundAction, ToldAction
from handsel.vision.embedding import Probe
from handsel.vision.frame import Frame
from handsel.vision.quality import Reason
from handsel.vision.read_palm import PalmReading, Rejected
from tests.notes.fresh_keys import fresh_note_keys

DIMS, VIEWS, THRESHOLD = 64, 3, 0.5
AMOUNT_MINOR = 450
ISSUERS_SECRET = b"i" * 32  # For the tags of a charge.
COFFEE = ChargeAction("c0" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Coffee and cake")
CAKE = ChargeAction("ca" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Cake")
DEPOSIT = ChargeAction("de" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Bicycle", 3_600)
COFFEE_BACK = RefundAction("b0" * 16, AMOUNT_MINOR, "EUR", "Corner Café", "Coffee and cake")


class PowerCut(BaseException):
    """
    End a process between two instructions.
    """


@dataclass
class Ticker:
    """
    Tell a time that only a test moves.
    """

    now_ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        """
        Return the time.
        """
        return self.now_ms

    def pass_ms(self, ms: int) -> None:
        """
        Let time pass.
        """
        self.now_ms += ms


@dataclass
class Stream:
    """
    Give random bytes that are the same in every run: SHA-256 of a counter.
    """

    seed: int = 1
    count: int = 0

    def __call__(self, length: int) -> bytes:
        """
        Return `length` bytes.
        """
        self.count += 1
        return hashlib.shake_256(f"{self.seed}/{self.count}".encode()).digest(length)


def picture(number: int = 0) -> bytes:
    """
    Return a small JPEG in which there is nothing.
    """
    pixels = np.full((32, 32, 3), 40 + number % 200, np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def reading(person: int, *, shot: int = 0, quality: float = 0.8) -> PalmReading:
    """
    Return what a frame of an imagined person's palm says: close to the person's other shots, far from anybody else.
    """
    palm = np.random.default_rng([person]).standard_normal(DIMS)
    noise = np.random.default_rng([person, shot, 1]).standard_normal((VIEWS, DIMS))
    views = palm + 0.1 * noise  # (V, D)
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    return PalmReading(Probe(views.astype(np.float32), "imagined"), quality)


@dataclass
class FakeReader:
    """
    See what it is told to see, one thing a frame; then no hand.
    """

    sights: list[PalmReading | Reason] = field(default_factory=list)
    frames: int = 0
    on_read: Callable[[], None] = lambda: None

    def read(self, frame: Frame) -> PalmReading | Rejected:
        """
        Return the next thing to see.
        """
        self.frames += 1
        self.on_read()
        seen = self.sights.pop(0) if self.sights else Reason.NO_HAND
        return Rejected(seen) if isinstance(seen, Reason) else seen


@dataclass(frozen=True)
class Keyring:
    """
    Hold the keys of all parties.
    """

    issuer: PartyKeys
    matchers: dict[str, PartyKeys]
    till: PartyKeys
    notes: NoteKeys

    @classmethod
    def generate(cls) -> Keyring:
        """
        Return fresh keys, those of notes for the denominations of `AMOUNT_MINOR` alone.
        """
        notes = fresh_note_keys(denominations=(256, 128, 64, 2))
        matchers = {matcher: PartyKeys.generate() for matcher in MATCHERS}
        return cls(PartyKeys.generate(), matchers, PartyKeys.generate(), notes)

    def parties(self) -> Parties:
        """
        Return what a till knows of the others.
        """
        matchers = {
            name: MatcherParty(keys.public(), make_certificate(keys, name=name, now_ms=0), "localhost", 1)
            for name, keys in self.matchers.items()
        }
        return Parties(self.issuer.public(), matchers, DIMS, THRESHOLD, palms_max=1000, fpir=1e-3)

    def open_queries(self, queries: PerMatcher | None) -> tuple[Query, ...]:
        """
        Return what the matchers a, b and c read.
        """
        assert queries is not None
        sealed = (queries.a, queries.b, queries.c)
        return tuple(
            open_envelope(each, Query, keys=self.matchers[matcher], purpose=QUERY)
            for matcher, each in zip(MATCHERS, sealed, strict=True)
        )

    def open_templates(self, templates: PerMatcher | None) -> tuple[Template, ...]:
        """
        Return what the matchers a, b and c read.
        """
        assert templates is not None
        sealed = (templates.a, templates.b, templates.c)
        return tuple(
            open_envelope(each, Template, keys=self.matchers[matcher], purpose=TEMPLATE)
            for matcher, each in zip(MATCHERS, sealed, strict=True)
        )

    def open_order(self, request: ChargeRequest) -> ChargeOrder:
        """
        Return what the issuer reads of a charge.
        """
        return open_envelope(request.order, ChargeOrder, keys=self.issuer, purpose=CHARGE)


class FakeAcquirer:
    """
    Keep charges, refunds and enrolments as the acquirer does: each id once, its answer for ever.

    `breaks` lists what is raised at a named point, one exception a time; `declines` the reasons of the next requests.
    """

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.told: ToldAction | None = None
        self.breaks: dict[str, list[BaseException]] = {}
        self.declines: list[str] = []
        self.right_code = "12345678"
        self.receipt_code = "receipt-of-a-coffee"
        self.wallet_key = X25519PrivateKey.generate()  # Of the payer's one receipt key.
        self.keys = PartyKeys.generate()
        self.naming_secret = b"n" * 32
        self.is_named = False
        self.brought: list[tuple[str, ReceiptBrought]] = []
        self.charges: dict[str, ChargeAnswer] = {}
        self.payments: dict[str, str] = {}  # By charge.
        self.asked_for: dict[str, ChargeAction] = {}  # What was shown for a charge.
        self.refunds: dict[str, RefundAnswer] = {}
        self.enrolments: dict[str, EnrolmentAnswer] = {}
        self.charge_requests: list[ChargeRequest] = []
        self.refund_requests: list[RefundRequest] = []
        self.enrolment_requests: list[EnrolmentRequest] = []
        self.cards: dict[bytes, CardOrder] = {}
        self.card_state: CardState | None = None
        self.card_requests: list[CardRequest] = []
        self.debits_minor: list[int] = []
        self.reserved_minor: list[int] = []
        self.redeemed_minor: list[int] = []
        self.on_charge: Callable[[], None] = lambda: None

    def action(self) -> ToldAction | None:
        """
        Return what is told.
        """
        self._pass("action")
        return self.told

    def note_keys(self) -> PublicNoteKeys:
        """
        Return the issuer's keys.
        """
        self._pass("note_keys")
        return self.keyring.notes.public()

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """
        Debit, and sign what is asked for.
        """
        self.on_charge()
        self._pass("charge.sent")
        self.charge_requests.append(request)
        if request.charge_id not in self.charges:
            self.charges[request.charge_id] = self._answer_charge(request)
            self.payments[request.charge_id] = request.payment_intent
            self.asked_for[request.charge_id] = self.told if isinstance(self.told, ChargeAction) else COFFEE
            self.told = self.told if isinstance(self.charges[request.charge_id], DeclinedAnswer) else None
        self._pass("charge.answered")
        return self.charges[request.charge_id]

    def charge_state(self, charge_id: str) -> ChargeAnswer:
        """
        Return what became of a charge.
        """
        self._pass("charge_state")
        if charge_id not in self.charges:
            raise NotFound("no such charge")
        return self.charges[charge_id]

    def void_charge(self, charge_id: str, *, payment_intent: str) -> ChargeAnswer:
        """
        Give a charge up, unless something has become of it.
        """
        self._pass("void")
        return self.charges.setdefault(charge_id, DeclinedAnswer("voided"))

    def hand_over(self, charge_id: str, notes: tuple[Note, ...]) -> PaidAnswer:
        """
        Take genuine notes, once.
        """
        self._pass("notes.sent")
        keys = self.keyring.notes.public()
        worth = sum(verify_note(note, keys=keys).denomination_minor for note in notes)
        if not isinstance(self.charges[charge_id], PaidAnswer):
            self.redeemed_minor.append(worth)
            self.charges[charge_id] = PaidAnswer(self.receipt_code, self.papers(charge_id, notes))
        self._pass("notes.answered")
        answer = self.charges[charge_id]
        assert isinstance(answer, PaidAnswer)
        return answer

    def capture(self, charge_id: str, amount_minor: int, *, tip_minor: int = 0) -> None:
        """
        Capture so much of what a charge has reserved, in notes that its till has never seen.
        """
        assert isinstance(self.charges[charge_id], ReservedAnswer)
        notes = (ReceiptNote("00" * 16, hashlib.sha256(charge_id.encode()).digest()),)
        papers = self._papers(charge_id, notes, amount_minor=amount_minor, tip_minor=tip_minor)
        self.charges[charge_id] = PaidAnswer(self.receipt_code, papers)

    def give_back(self, charge_id: str) -> None:
        """
        Give back what a charge has reserved.
        """
        assert isinstance(self.charges[charge_id], ReservedAnswer)
        self.charges[charge_id] = DeclinedAnswer("voided")

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """
        Credit.
        """
        self._pass("refund.sent")
        self.refund_requests.append(request)
        order = open_envelope(request.order, RefundOrder, keys=self.keyring.issuer, purpose=REFUND)
        assert (order.order_id, order.amount_minor) == (request.order_id, AMOUNT_MINOR)
        if request.attempt_id not in self.refunds:
            declined = DeclinedAnswer(self.declines.pop(0)) if self.declines else None
            self.refunds[request.attempt_id] = declined or RefundedAnswer("receipt-refund")
            self.told = self.told if declined else None
        self._pass("refund.answered")
        return self.refunds[request.attempt_id]

    def enrol(self, request: EnrolmentRequest) -> EnrolmentAnswer:
        """
        Enrol whoever has the right code.
        """
        self._pass("enrolment.sent")
        self.enrolment_requests.append(request)
        order = self._open_enrolment(request)
        assert order.order_id == request.order_id != request.enrolment_id
        is_right = order.code == self.right_code
        if is_right and isinstance(order, CardOrder):
            self.cards[order.card_id] = order
        answer = EnrolledAnswer() if is_right else DeclinedAnswer("wrong_code")
        self.enrolments.setdefault(request.enrolment_id, answer)
        self._pass("enrolment.answered")
        return self.enrolments[request.enrolment_id]

    def ask_card(self, asked: CardAsked) -> CardAnswered | DeclinedAnswer:
        """
        Answer as the issuer does, with as many zeros where the card is not known.
        """
        self._pass("card.sent")
        request = open_envelope(asked.request, CardRequest, keys=self.keyring.issuer, purpose=CARD_REQUEST)
        self.card_requests.append(request)
        card = None if self.card_state is CardState.LOCKED else self.cards.get(request.card_id)
        sealed = bytes(SEALED_TEMPLATE_BYTES) if card is None else card.sealed_template
        state = self.card_state or (CardState.UNKNOWN if card is None else CardState.KNOWN)
        if self.declines:
            return DeclinedAnswer(self.declines.pop(0))
        return CardAnswered(seal_reply(CardAnswer(state, sealed), reply_key=request.reply_key, purpose=CARD_ANSWER))

    def bring_receipt(self, charge_id: str, brought: ReceiptBrought) -> None:
        """
        Take a receipt.
        """
        self._pass("receipt.sent")
        self.brought.append((charge_id, brought))
        self._pass("receipt.answered")

    def naming_tag(self, charge_id: str) -> bytes:
        """
        Return the tag that says that the payer has this shop named.
        """
        order_id = self._request(charge_id).order_id
        return naming_tag(ISSUERS_SECRET, other=naming_key_of(self.naming_secret), order_id=order_id)

    def papers(self, charge_id: str, notes: tuple[Note, ...]) -> PapersAnswer:
        """
        Return what a receipt is sealed with, as issuer and acquirer make it.
        """
        request = self._request(charge_id)
        amount_minor = self.keyring.open_order(request).amount_minor
        made = tuple(ReceiptNote(note.key_id, note.serial) for note in notes)
        return self._papers(charge_id, made, amount_minor=amount_minor, tip_minor=request.tip_minor)

    def _papers(
        self, charge_id: str, notes: tuple[ReceiptNote, ...], *, amount_minor: int, tip_minor: int
    ) -> PapersAnswer:
        order, action = self.keyring.open_order(self._request(charge_id)), self.asked_for[charge_id]
        assert order.reply_key is not None
        tags = [hashlib.sha256(bytes([number])).digest()[:16] for number in range(NAMING_TAGS - self.is_named)]
        tags += [self.naming_tag(charge_id)] if self.is_named else []
        receipt_key, naming_key = self.wallet_key.public_key().public_bytes_raw(), naming_key_of(ISSUERS_SECRET)
        reply = ChargeReply(receipt_key, naming_key, tuple(sorted(tags)))
        statement = Statement(
            acquirer=name_of_signer(self.keys.public().sign),
            receipt_code=self.receipt_code,
            charge_id=charge_id,
            shop=action.merchant,
            description=action.description,
            amount_minor=amount_minor,
            currency=order.currency,
            paid_ms=5,
            notes=notes,
            return_digest=self._request(charge_id).return_digest,
            tip_minor=tip_minor,
        )
        sealed = seal_reply(reply, reply_key=order.reply_key, purpose=CHARGE_REPLY)
        return PapersAnswer(sealed, sign_statement(statement, keys=self.keys), self.naming_secret)

    def _request(self, charge_id: str) -> ChargeRequest:
        return next(request for request in self.charge_requests if request.charge_id == charge_id)

    def _open_enrolment(self, request: EnrolmentRequest) -> EnrolmentOrder | CardOrder:
        if request.templates is None:
            return open_envelope(request.order, CardOrder, keys=self.keyring.issuer, purpose=CARD_ENROLMENT)
        return open_envelope(request.order, EnrolmentOrder, keys=self.keyring.issuer, purpose=ENROLMENT)

    def _answer_charge(self, request: ChargeRequest) -> ChargeAnswer:
        order = self.keyring.open_order(request)
        if self.declines:
            reason = self.declines.pop(0)
            return PendingAnswer() if reason == "pending" else DeclinedAnswer(reason)
        if order.hold_s:
            self.reserved_minor.append(order.amount_minor)
            return ReservedAnswer()
        self.debits_minor.append(order.amount_minor)
        return SignedAnswer(tuple(self.keyring.notes.sign(note) for note in order.notes))

    def _pass(self, point: str) -> None:
        if self.breaks.get(point):
            raise self.breaks[point].pop(0)


@contextmanager
def full_disk() -> Iterator[None]:
    """
    Let every write to a file fail, as on a full disk.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def lost() -> PartyUnavailable:
    """
    Return what a client raises where no answer came.
    """
    return PartyUnavailable("the acquirer does not answer")


def joined(shares: tuple[bytes, ...], *, rows: int) -> Words:
    """
    Return the words (V, D) that three shares hold together.
    """
    words = [np.frombuffer(share, "<u2").astype(np.uint16).reshape(rows, DIMS) for share in shares]
    parts = [multiply_words(share, weight_at_zero(index)) for index, share in enumerate(words)]
    return parts[0] + parts[1] + parts[2]


def joined_views(shares: tuple[bytes, ...]) -> NDArray[np.int16]:
    """
    Return the quantised views that three shares of a query hold together.
    """
    return negate_odd(joined(shares, rows=VIEWS)).view(np.int16)
