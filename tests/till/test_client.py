"""
What the till says to the acquirer, and that an answer is what it should be, or counts as none.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import msgspec
import pytest

from handsel import errors
from handsel.config import Link, Secret
from handsel.matching.message import PerMatcher
from handsel.notes.announce import TrustedNoteKeys
from handsel.notes.mint import NoteSecret
from handsel.notes.note import KEY_BITS, Note
from handsel.till.acquirer import (
    ChargeRequest,
    DeclinedAnswer,
    EnrolledAnswer,
    EnrolmentRequest,
    PaidAnswer,
    PendingAnswer,
    RefundedAnswer,
    RefundRequest,
    SignedAnswer,
)
from handsel.till.client import ANSWER_BYTES_MAX, AcquirerClient, open_http, refusal
from tests.till.fakes import COFFEE, COFFEE_BACK, Keyring

TOKEN = "t" * 64
CHARGE_ID = "0" * 32
SEALED = PerMatcher(b"a", b"b", b"c")
SECRET = NoteSecret("k", b"serial", b"inverse", b"salt")
CHARGE = ChargeRequest(CHARGE_ID, "1" * 32, COFFEE.id, b"order", (SECRET,), bytes(32), "2" * 32, SEALED)

Answer = Callable[[httpx.Request], httpx.Response]


NOTHING_TRUSTED = TrustedNoteKeys(bytes(32), Path("no-list.json"))  # No list is signed with this key, or kept.


def client(answer: Answer, trusted: TrustedNoteKeys = NOTHING_TRUSTED) -> AcquirerClient:
    """
    Return a client whose requests `answer` answers.
    """
    http = httpx.Client(base_url="http://acquirer.example", transport=httpx.MockTransport(answer))
    return AcquirerClient(http, trusted)


def answering(content: bytes | str, status: int = 200) -> AcquirerClient:
    """
    Return a client that always gets the same answer.
    """
    return client(lambda _: httpx.Response(status, content=content))


def test_nothing_to_show_is_none() -> None:
    assert answering('{"action": null}').action() is None


def test_an_action_is_what_was_told() -> None:
    body = {"amount_minor": 450, "currency": "EUR", "merchant": "Corner Café", "description": "Coffee and cake"}
    charge = {"action": {"kind": "charge", "id": COFFEE.id, **body}}
    refund = {"action": {"kind": "refund", "id": COFFEE_BACK.id, **body}}

    assert answering(json.dumps(charge)).action() == COFFEE
    assert answering(json.dumps(refund)).action() == COFFEE_BACK


@pytest.mark.parametrize(
    "change", [{"amount_minor": 0}, {"amount_minor": 4.5}, {"currency": "eur"}, {"kind": "gift"}, {"tip": 1}]
)
def test_an_action_that_is_not_understood_is_not_shown(change: dict[str, object]) -> None:
    body = {"kind": "charge", "id": "1", "amount_minor": 450, "currency": "EUR", "merchant": "", "description": ""}

    with pytest.raises(errors.PartyUnavailable):
        answering(json.dumps({"action": {**body, **change}})).action()


def test_a_charge_is_posted_as_the_contract_says() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content='{"status": "pending"}')

    assert client(answer).charge(CHARGE) == PendingAnswer()

    def b64(content: bytes) -> str:
        return base64.b64encode(content).decode()

    assert (seen[0].method, seen[0].url.path) == ("POST", "/v1/till/charges")
    assert json.loads(seen[0].content) == {
        "charge_id": CHARGE_ID,
        "order_id": "1" * 32,
        "payment_intent": COFFEE.id,
        "order": b64(b"order"),
        "secrets": [{"key_id": "k", "serial": b64(b"serial"), "inverse": b64(b"inverse"), "salt": b64(b"salt")}],
        "return_digest": b64(bytes(32)),
        "nonce": "2" * 32,
        "queries": {"a": b64(b"a"), "b": b64(b"b"), "c": b64(b"c")},
    }


def test_each_answer_of_a_charge_is_understood() -> None:
    signed = json.dumps({"status": "approved", "signatures": [base64.b64encode(b"s").decode()]})

    assert SignedAnswer((b"s",)) == answering(signed).charge(CHARGE) == answering(signed).charge_state(CHARGE_ID)
    assert answering('{"status": "declined", "reason": "over_limit"}').charge(CHARGE) == DeclinedAnswer("over_limit")
    assert answering('{"status": "paid", "receipt_code": "r"}').charge_state(CHARGE_ID) == PaidAnswer("r")


def test_each_answer_of_a_refund_and_an_enrolment_is_understood() -> None:
    refund = RefundRequest(CHARGE_ID, COFFEE_BACK.id, "1" * 32, b"order", SEALED)
    enrolment = EnrolmentRequest(CHARGE_ID, "1" * 32, b"order", SEALED)

    assert answering('{"status": "approved", "receipt_code": "r"}').refund(refund) == RefundedAnswer("r")
    assert answering('{"status": "pending"}').refund(refund) == PendingAnswer()
    assert answering('{"status": "enrolled"}').enrol(enrolment) == EnrolledAnswer()
    assert answering('{"status": "declined", "reason": "x"}').enrol(enrolment) == DeclinedAnswer("x")


def test_notes_are_handed_over_under_their_charge() -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        assert set(json.loads(request.content)["notes"][0]) == {"key_id", "serial", "signature"}
        return httpx.Response(200, content='{"status": "paid", "receipt_code": "r"}')

    note = Note("k", bytes(32), bytes(KEY_BITS // 8))

    assert client(answer).hand_over(CHARGE_ID, (note,)) == PaidAnswer("r")
    assert paths == [f"/v1/till/charges/{CHARGE_ID}/notes"]


def test_note_keys_are_read_and_checked(keyring: Keyring, tmp_path: Path) -> None:
    content = msgspec.json.encode(keyring.notes.announced())
    trusted = TrustedNoteKeys(keyring.notes.root(), tmp_path / "note-keys.json")

    assert client(lambda _: httpx.Response(200, content=content), trusted).note_keys() == keyring.notes.public()


def test_note_keys_that_another_root_has_signed_are_refused(keyring: Keyring) -> None:
    with pytest.raises(errors.SignatureInvalid):
        answering(msgspec.json.encode(keyring.notes.announced())).note_keys()


def test_note_keys_that_nobody_has_signed_are_no_answer(keyring: Keyring) -> None:
    with pytest.raises(errors.PartyUnavailable):
        answering(msgspec.json.encode(keyring.notes.public())).note_keys()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<html>",
        "[]",
        "{}",
        b"\xff",
        '{"status": "perhaps"}',
        '{"status": "approved"}',
        '{"status": "approved", "signatures": ["?"]}',
        '{"status": "paid", "receipt_code": "r", "more": 1}',
    ],
)
def test_an_answer_that_is_not_understood_counts_as_none(content: str | bytes) -> None:
    with pytest.raises(errors.PartyUnavailable):
        answering(content).charge(CHARGE)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    read: list[int] = []

    def chunks() -> Iterator[bytes]:
        for _ in range(1000):
            read.append(1)
            yield bytes(1 << 16)

    with pytest.raises(errors.PartyUnavailable):
        client(lambda _: httpx.Response(200, content=chunks())).charge(CHARGE)
    assert len(read) <= ANSWER_BYTES_MAX // (1 << 16) + 2


@pytest.mark.parametrize("kind", [errors.NotFound, errors.IdReused, errors.PeerUnavailable, errors.AccessDenied])
def test_an_error_comes_back_as_its_class_without_the_others_words(kind: type[errors.HandselError]) -> None:
    body = {"error": {"code": kind.code, "message": "secret words", "is_retryable": kind.is_retryable}}

    with pytest.raises(kind) as caught:
        answering(json.dumps(body), 400).charge_state(CHARGE_ID)

    assert type(caught.value) is kind
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"error": {"code": "new", "message": "", "is_retryable": true}}', errors.PartyUnavailable),
        (b'{"error": {"code": "new", "message": "", "is_retryable": false}}', errors.BadInput),
        (b"Bad Gateway", errors.PartyUnavailable),
        (b"", errors.PartyUnavailable),
    ],
)
def test_an_error_that_nobody_knows_is_taken_for_what_can_be_repeated(
    raw: bytes, kind: type[errors.HandselError]
) -> None:
    assert type(refusal(raw)) is kind


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_what_fails_on_the_way_is_party_unavailable(failure: type[httpx.TransportError]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise failure("on the way", request=request)

    with pytest.raises(errors.PartyUnavailable):
        client(answer).charge(CHARGE)


def test_a_redirect_is_not_followed() -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(str(request.url))
        return httpx.Response(307, headers={"Location": "http://elsewhere.example/"})

    with pytest.raises(errors.PartyUnavailable):
        client(answer).charge(CHARGE)
    assert calls == ["http://acquirer.example/v1/till/charges"]


def test_an_id_that_is_none_never_becomes_an_address() -> None:
    with pytest.raises(errors.BodyInvalid):
        answering("{}").charge_state("../../merchants")


def test_a_port_on_which_nobody_listens_is_party_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with open_http(Link(url, Secret(TOKEN))) as http, pytest.raises(errors.PartyUnavailable):
        AcquirerClient(http, NOTHING_TRUSTED).action()


def test_the_token_goes_with_every_request_over_a_real_connection() -> None:
    shown: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", "16")
            self.end_headers()
            self.wfile.write(b'{"action": null}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        link = Link(f"http://127.0.0.1:{server.server_port}", Secret(TOKEN))
        with open_http(link) as http:
            assert AcquirerClient(http, NOTHING_TRUSTED).action() is None
        thread.join(5)

    assert shown == [f"Bearer {TOKEN}"]
