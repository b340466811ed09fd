"""
Be those who use Handsel, without a browser: a customer, a shop, and the camera of a till.

They speak to the parties over HTTP as apps, a cash register and a page do, and know nothing more than these.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from handsel import errors
from handsel.flows.issuing.consent import CARD_CONSENT_VERSION, CONSENT_VERSION
from handsel.ids import new_id
from handsel.order import Way
from handsel.receipt import PayersReceipt, derive_receipt_key, open_receipt
from handsel.till.agent_state import AgentState
from handsel.web.errors import ErrorBody
from handsel.web.receipt_pages import KeysWantedBody, ReceiptsBody
from handsel.web.wallet_api import CodeBody, OpenedBody, WalletBody
from handsel.wiring.demo import Demo

AMOUNT_MINOR = 4_50
TOP_UP_MINOR = 100_00
CURRENCY = "eur"
MATCHERS_COUNT = 3
ASK_S = 0.05
SHOWN_MAX = 5  # How often one picture is shown until it is looked at.
SCREEN_S_MAX = 15.0  # The till asks what to show twice a second.
OUTCOME_S_MAX = 40.0  # Longer than the till itself waits for an outcome.
ERASURE_S_MAX = 15.0
RECEIPT_S_MAX = 15.0  # The till brings it a second after the payment, or two.
RECEIPT_SECRET_BYTES = 32
OVER = frozenset({"paid", "reserved", "refunded", "enrolled", "declined", "trouble"})

T = TypeVar("T", bound=msgspec.Struct)
Picture = Callable[[], bytes]


@dataclass(frozen=True)
class HandShown:
    """
    Say what became of holding out a hand: the screen at the end, why, and after how long.
    """

    screen: str
    reason: str
    elapsed_s: float


class Anything(msgspec.Struct, frozen=True):
    """
    Take any answer, and keep nothing of it.
    """


class _Intent(msgspec.Struct, frozen=True):
    id: str
    status: str


def open_http() -> httpx.Client:
    """
    Return the connections of those who act; to be used in a `with`.
    """
    return httpx.Client(timeout=OUTCOME_S_MAX, trust_env=False)


class Party:
    """
    Speak JSON with one party.
    """

    def __init__(self, http: httpx.Client, url: str, token: str = "") -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, kind: type[T]) -> T:
        """
        Return what is at `path`. Raises `PartyUnavailable`, or `BadInput` with what the party said.
        """
        return self._read(self._send("GET", path, b"", "application/json"), kind)

    def get_bytes(self, path: str) -> bytes:
        """
        Return the file at `path`.
        """
        answer = self._send("GET", path, b"", "application/json")
        return answer.content if answer.is_success else b""

    def post(self, path: str, body: dict[str, Any], kind: type[T]) -> T:
        """
        Send a JSON body and return the answer.
        """
        return self._read(self._send("POST", path, msgspec.json.encode(body), "application/json"), kind)

    def post_jpeg(self, path: str, content: bytes, kind: type[T]) -> T:
        """
        Send a picture and return the answer.
        """
        return self._read(self._send("POST", path, content, "image/jpeg"), kind)

    def _send(self, method: str, path: str, content: bytes, content_type: str) -> httpx.Response:
        try:
            headers = {**self._headers, "Content-Type": content_type}
            return self._http.request(method, self._url + path, content=content, headers=headers)
        except httpx.TransportError as exc:
            raise errors.PartyUnavailable(f"{self._url} does not answer") from exc

    def _read(self, answer: httpx.Response, kind: type[T]) -> T:
        if not answer.is_success:
            said = msgspec.json.decode(answer.content, type=ErrorBody).error
            raise errors.BadInput(f"{answer.request.url.path} was refused ({said.code}): {said.message}")
        return msgspec.json.decode(answer.content, type=kind)


class Customer:
    """
    Be somebody with a wallet.
    """

    def __init__(self, http: httpx.Client, issuer_url: str) -> None:
        opened = Party(http, issuer_url).post("/v1/wallets", {}, OpenedBody)
        self._issuer = Party(http, issuer_url, opened.wallet_key)
        self._receipt_secret = secrets.token_bytes(RECEIPT_SECRET_BYTES)

    def prepare(self) -> str:
        """
        Top up, consent, and return a code for the till.
        """
        self._issuer.post("/v1/wallet/top_ups", {"id": new_id(), "amount": TOP_UP_MINOR}, Anything)
        self._issuer.post("/v1/wallet/consents", {"version": CONSENT_VERSION}, Anything)
        self.deposit_receipt_keys()
        return self._issuer.post("/v1/wallet/enrolment_codes", {}, CodeBody).code

    def prepare_card(self) -> str:
        """
        Top up, consent to a held key, and return a code for the till.
        """
        self._issuer.post("/v1/wallet/top_ups", {"id": new_id(), "amount": TOP_UP_MINOR}, Anything)
        consent = {"version": CARD_CONSENT_VERSION, "way": Way.HELD_KEY}
        self._issuer.post("/v1/wallet/consents", consent, Anything)
        return self._issuer.post("/v1/wallet/enrolment_codes", {"way": Way.HELD_KEY}, CodeBody).code

    def deposit_receipt_keys(self) -> None:
        """
        Give the issuer as many public keys for receipts as it wants.
        """
        wanted = self._issuer.get("/v1/wallet/receipt_keys", KeysWantedBody)
        numbers = range(wanted.first, wanted.first + wanted.count)
        made = [derive_receipt_key(self._receipt_secret, number).public_key().public_bytes_raw() for number in numbers]
        body = {"first": wanted.first, "keys": msgspec.to_builtins(made)}
        self._issuer.post("/v1/wallet/receipt_keys", body, Anything)

    def read_receipt(self) -> PayersReceipt:
        """
        Wait for the receipt of the last payment, and return it opened. Raises `PartyUnavailable`.
        """
        deadline = time.monotonic() + RECEIPT_S_MAX
        while (receipt := self._issuer.get("/v1/wallet/receipts", ReceiptsBody).lines[0].receipt) is None:
            if time.monotonic() > deadline:
                raise errors.PartyUnavailable("the till has not brought the receipt")
            time.sleep(ASK_S)
        key = derive_receipt_key(self._receipt_secret, receipt.number)
        return open_receipt(receipt.sealed, key=key)

    def revoke_card(self) -> None:
        """
        Say that the card is lost.
        """
        self._issuer.post("/v1/wallet/card/revoke", {}, Anything)

    def balance(self) -> int:
        """
        Return what is in the wallet, in minor units.
        """
        return self.wallet().balance

    def wallet(self) -> WalletBody:
        """
        Return the wallet.
        """
        return self._issuer.get("/v1/wallet", WalletBody)

    def erase_palm(self) -> None:
        """
        Erase every palm, and wait until all three matchers have confirmed it. Raises `PartyUnavailable`.
        """
        for palm in self.wallet().palms:
            self._issuer.post(f"/v1/wallet/palms/{palm.palm_id}/erase", {}, Anything)
        deadline = time.monotonic() + ERASURE_S_MAX
        while any(palm.erasures_confirmed < MATCHERS_COUNT for palm in self.wallet().palms):
            if time.monotonic() > deadline:
                raise errors.PartyUnavailable("not all matchers have confirmed the erasure")
            time.sleep(ASK_S)


class Shop:
    """
    Be the merchant's cash register.
    """

    def __init__(self, http: httpx.Client, demo: Demo) -> None:
        self._acquirer = Party(http, demo.acquirer_api, demo.merchant_key.reveal())

    def ask(self, amount_minor: int = AMOUNT_MINOR) -> str:
        """
        Ask for a payment, and return its id.
        """
        body = {"id": new_id(), "amount": amount_minor, "currency": CURRENCY, "description": "Coffee and cake"}
        return self._acquirer.post("/v1/payment_intents", body, _Intent).id

    def give_back(self, payment_intent: str, *, amount_minor: int | None = None) -> str:
        """
        Ask for a refund of a whole payment or a part of it, and return its id.
        """
        body = {"id": new_id(), "payment_intent": payment_intent, "amount": amount_minor}
        return self._acquirer.post("/v1/refunds", body, _Intent).id

    def give_back_by_receipt(self, payment_intent: str, return_code: str) -> str:
        """
        Pay back what is left of a payment to the wallet that paid, and return how the refund stands.
        """
        body = {"id": new_id(), "payment_intent": payment_intent, "return_code": return_code}
        return self._acquirer.post("/v1/refunds", body, _Intent).status

    def wait_until_settled(self, payment_intent: str) -> str:
        """
        Return the status of a payment once no palm is on its way for it. Raises `PartyUnavailable`.
        """
        deadline = time.monotonic() + OUTCOME_S_MAX
        while (status := self._acquirer.get(f"/v1/payment_intents/{payment_intent}", _Intent).status) == "processing":
            if time.monotonic() > deadline:
                raise errors.PartyUnavailable("the payment is still on its way")
            time.sleep(ASK_S)
        return status

    def cancel(self, payment_intent: str) -> None:
        """
        Cancel a payment.
        """
        self._acquirer.post(f"/v1/payment_intents/{payment_intent}/cancel", {}, _Intent)


class TillCamera:
    """
    Be the till's page: show pictures to the agent, and read its screen.
    """

    def __init__(self, http: httpx.Client, till_url: str) -> None:
        self._till = Party(http, till_url)

    def enrol(self, code: str, pictures: Iterable[Picture]) -> HandShown:
        """
        Type a code and hold out a hand.
        """
        self._till.post("/v1/enrolments", {"code": code}, AgentState)
        return self._hold_out("enrolment", pictures)

    def enrol_card(self, code: str, pictures: Iterable[Picture]) -> tuple[HandShown, bytes]:
        """
        Type a code, hold out a hand, and photograph the card that is shown then; no bytes where there is none.
        """
        self._till.post("/v1/enrolments", {"code": code, "way": Way.HELD_KEY}, AgentState)
        shown = self._hold_out("enrolment", pictures)
        state = self._till.get("/v1/state", AgentState)
        picture = self._till.get_bytes(f"/v1/card.png?session={state.session}") if state.has_new_card else b""
        return shown, picture

    def pay(self, pictures: Iterable[Picture]) -> HandShown:
        """
        Hold out a hand, or a card and then a hand, for the payment that is asked for.
        """
        return self._hold_out("charge", pictures)

    def take_back(self, pictures: Iterable[Picture]) -> HandShown:
        """
        Hold out a hand for the refund that is offered.
        """
        return self._hold_out("refund", pictures)

    def dismiss(self) -> None:
        """
        Go on to whatever is next.
        """
        session = self._till.get("/v1/state", AgentState).session
        self._till.post("/v1/cancel", {"session": session}, AgentState)

    def wait_for_charge(self) -> AgentState:
        """
        Return the screen once a palm is asked for, to pay. Raises `PartyUnavailable`.
        """
        return self._wait(lambda state: state.kind == "charge" and state.wants_frames, SCREEN_S_MAX)

    def show(self, session: str, content: bytes) -> AgentState:
        """
        Show one picture, taken for `session`, and return the screen.
        """
        return self._till.post_jpeg(f"/v1/frames?session={session}", content, AgentState)

    def _hold_out(self, kind: str, pictures: Iterable[Picture]) -> HandShown:
        state = self._wait(lambda state: state.kind == kind and state.wants_frames, SCREEN_S_MAX)
        hints: list[str] = []
        elapsed_s = 0.0
        for picture in pictures:
            content = picture()  # A camera takes no time; a program that draws does, so it is not counted.
            started = time.monotonic()
            state = self._show_until_seen(state, content)
            elapsed_s += time.monotonic() - started
            if not state.wants_frames:
                break
            hints += [state.reason] if state.reason else []
        if state.wants_frames:
            return HandShown("no_palm", " ".join(dict.fromkeys(hints)), elapsed_s)
        started = time.monotonic()
        state = self._wait(lambda state: state.screen in OVER, OUTCOME_S_MAX)
        return HandShown(state.screen, state.reason or state.code, elapsed_s + time.monotonic() - started)

    def _show_until_seen(self, before: AgentState, content: bytes) -> AgentState:
        # The agent drops a frame while it is busy; a camera has the next one, a folder of photographs has not.
        for _ in range(SHOWN_MAX):
            state = self.show(before.session, content)
            if not state.wants_frames or state.hint or state.good_frames > before.good_frames:
                break
        return state

    def _wait(self, is_reached: Callable[[AgentState], bool], s_max: float) -> AgentState:
        deadline = time.monotonic() + s_max
        while not is_reached(state := self._till.get("/v1/state", AgentState)):
            if time.monotonic() > deadline:
                raise errors.PartyUnavailable(f"the till still shows '{state.screen}' ({state.code or state.reason})")
            time.sleep(ASK_S)
        return state
