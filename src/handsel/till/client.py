"""
Reach the acquirer over HTTP. Bodies are JSON; an answer that is not just what it should be is as good as none.

An exception carries the acquirer's error code and none of its text: what it says could come from anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from handsel import errors
from handsel.config import Link
from handsel.ids import require_id
from handsel.notes.announce import SignedNoteKeys, TrustedNoteKeys
from handsel.notes.note import Note, PublicNoteKeys
from handsel.till.acquirer import (
    CardAnswered,
    CardAsked,
    ChargeAnswer,
    ChargeRequest,
    DeclinedAnswer,
    EnrolmentAnswer,
    EnrolmentRequest,
    PaidAnswer,
    ReceiptBrought,
    RefundAnswer,
    RefundRequest,
)
from handsel.till.action import ToldAction

CONNECT_S_MAX = 2.0
SHORT_S_MAX = 5.0  # For what the acquirer answers by itself.
LONG_S_MAX = 16.0  # For what matchers and issuer are asked for, 8 s each at most; a lost answer is asked for again.
ANSWER_BYTES_MAX = 1 << 20  # The note keys are the longest: 256 keys of less than 1 KiB.
SHORT = httpx.Timeout(SHORT_S_MAX, connect=CONNECT_S_MAX)
LONG = httpx.Timeout(LONG_S_MAX, connect=CONNECT_S_MAX)

T = TypeVar("T")


class _ActionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: ToldAction | None


class _NotesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    notes: tuple[Note, ...]


class _VoidBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payment_intent: str


class _ErrorDetail(msgspec.Struct, frozen=True):
    code: str
    message: str
    is_retryable: bool


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _ErrorDetail


_ACTION = msgspec.json.Decoder(_ActionBody)
_NOTE_KEYS = msgspec.json.Decoder(SignedNoteKeys)
_CHARGE: msgspec.json.Decoder[ChargeAnswer] = msgspec.json.Decoder(ChargeAnswer)
_PAID = msgspec.json.Decoder(PaidAnswer)
_REFUND: msgspec.json.Decoder[RefundAnswer] = msgspec.json.Decoder(RefundAnswer)
_CARD: msgspec.json.Decoder[CardAnswered | DeclinedAnswer] = msgspec.json.Decoder(CardAnswered | DeclinedAnswer)
_ENROLMENT: msgspec.json.Decoder[EnrolmentAnswer] = msgspec.json.Decoder(EnrolmentAnswer)


def open_http(link: Link) -> httpx.Client:
    """
    Return a connection pool to the party at `link`. No proxy of the environment is used.
    """
    headers = {"Authorization": f"Bearer {link.token.reveal()}", "Accept": "application/json"}
    return httpx.Client(base_url=link.url, headers=headers, timeout=SHORT, trust_env=False)


@dataclass(frozen=True)
class AcquirerClient:
    """
    Speak the till's routes of the acquirer. Fulfils `Acquirer`; safe for several threads.

    `trusted` opens the list of note keys: not even the acquirer can change it.
    """

    http: httpx.Client
    trusted: TrustedNoteKeys

    def action(self) -> ToldAction | None:
        """
        Return what the till is to show now.
        """
        return _decode(self._get("/v1/till/action"), _ACTION).action

    def note_keys(self) -> PublicNoteKeys:
        """
        Return the keys in the issuer's list. Raises `SignatureInvalid` for one that is not signed, or is an old one.
        """
        return self.trusted.open(_decode(self._get("/v1/till/note_keys"), _NOTE_KEYS))

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """
        Pay, once, however often the same request comes.
        """
        return _decode(self._post("/v1/till/charges", request, LONG), _CHARGE)

    def charge_state(self, charge_id: str) -> ChargeAnswer:
        """
        Return what has become of a charge. Raises `NotFound`.
        """
        return _decode(self._get(f"/v1/till/charges/{require_id(charge_id)}"), _CHARGE)

    def void_charge(self, charge_id: str, *, payment_intent: str) -> ChargeAnswer:
        """
        Give a charge up, even one that the acquirer never heard of, and return how it stands now for good.
        """
        path = f"/v1/till/charges/{require_id(charge_id)}/void"
        return _decode(self._post(path, _VoidBody(payment_intent), LONG), _CHARGE)

    def hand_over(self, charge_id: str, notes: tuple[Note, ...]) -> PaidAnswer:
        """
        Give the notes of an approved charge to the acquirer.
        """
        path = f"/v1/till/charges/{require_id(charge_id)}/notes"
        return _decode(self._post(path, _NotesBody(notes), SHORT), _PAID)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """
        Credit, once, however often the same request comes.
        """
        return _decode(self._post("/v1/till/refunds", request, LONG), _REFUND)

    def enrol(self, request: EnrolmentRequest) -> EnrolmentAnswer:
        """
        Enrol, once, however often the same request comes.
        """
        return _decode(self._post("/v1/till/enrolments", request, LONG), _ENROLMENT)

    def ask_card(self, asked: CardAsked) -> CardAnswered | DeclinedAnswer:
        """
        Return the issuer's answer to a card that is shown.
        """
        return _decode(self._post("/v1/till/cards", asked, SHORT), _CARD)

    def bring_receipt(self, charge_id: str, brought: ReceiptBrought) -> None:
        """
        Have a receipt brought to the issuer, once, however often the same comes.
        """
        self._post(f"/v1/till/charges/{require_id(charge_id)}/receipt", brought, LONG)

    def _get(self, path: str) -> bytes:
        return self._ask(self.http.build_request("GET", path, timeout=SHORT))

    def _post(self, path: str, body: msgspec.Struct, timeout: httpx.Timeout) -> bytes:
        headers = {"Content-Type": "application/json"}
        content = msgspec.json.encode(body)
        return self._ask(self.http.build_request("POST", path, content=content, headers=headers, timeout=timeout))

    def _ask(self, request: httpx.Request) -> bytes:
        try:
            answer = self.http.send(request, stream=True)
            try:
                raw = _read(answer)
            finally:
                answer.close()
        except (httpx.HTTPError, httpx.StreamError) as exc:
            raise errors.PartyUnavailable("the acquirer does not answer: check the network, it is asked again") from exc
        if not answer.is_success:
            raise refusal(raw)
        return raw


def refusal(raw: bytes) -> errors.HandselError:
    """
    Return the exception for an error that the acquirer answered with; `PartyUnavailable` for one that nobody knows.
    """
    try:
        detail = msgspec.json.decode(raw, type=_ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return errors.PartyUnavailable("the acquirer's error cannot be read: is something else in between?")
    known = errors.error_of_code(detail.code)
    if known is None:
        known = errors.PartyUnavailable if detail.is_retryable else errors.BadInput
    return known(f"the acquirer refused the till's request: {known.code}")


def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise errors.PartyUnavailable("the acquirer's answer is longer than any that there is")
    return bytes(content)


def _decode(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, errors.BadInput) as exc:
        raise errors.PartyUnavailable("the acquirer's answer cannot be read: is it of another version?") from exc
