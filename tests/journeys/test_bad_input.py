"""
What goes wrong at a counter on a Monday morning, on real processes: each gives a clear outcome, and loses or doubles
nothing.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from handsel.cli.main import main
from handsel.drawn import scene
from handsel.drawn.person import DrawnPerson
from handsel.errors import HandselError
from handsel.ids import new_id
from handsel.receipt import read_statement
from handsel.till.agent_state import AgentState
from handsel.till.hint import TillHint
from handsel.vision.quality import Reason
from handsel.web.merchant_bodies import PaymentIntentBody
from handsel.wiring.actors import AMOUNT_MINOR, TOP_UP_MINOR, Customer, HandShown, Party
from handsel.wiring.guests import drawn_guests
from handsel.wiring.paths import CONFIG_FILE
from tests.journeys.conftest import Running

pytestmark = pytest.mark.journey

ADA = drawn_guests(1, 0)[0][0]
PIXELS_100_M = 10_000
RENEWED_S_MAX = 20.0


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """
    Return a picture as JPEG.
    """
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=90)
    return content.getvalue()


def truncated() -> bytes:
    """
    Return a picture whose second half was lost.
    """
    whole = ADA.visits[0][0]()
    return whole[: len(whole) // 2]


def huge() -> bytes:
    """
    Return a small file that claims 100 megapixels.
    """
    content = io.BytesIO()
    Image.new("L", (PIXELS_100_M, PIXELS_100_M)).save(content, "JPEG", quality=10)
    return content.getvalue()


@dataclass(frozen=True)
class Enrolled:
    """
    Hold a Handsel with one customer who is enrolled.
    """

    running: Running
    customer: Customer

    def pay(self) -> HandShown:
        """
        Ask for a payment and hold out the customer's hand; give the payment up where it is not made.
        """
        payment_intent = self.running.shop.ask()
        shown = self.running.till.pay(ADA.visits[0])
        if shown.screen != "paid":
            self.running.shop.cancel(payment_intent)
        self.running.till.dismiss()
        return shown


@pytest.fixture(scope="module")
def enrolled(running: Running) -> Enrolled:
    """
    Give a Handsel with an enrolled customer.
    """
    customer = running.customer()
    shown = running.till.enrol(customer.prepare(), ADA.enrolment)
    running.till.dismiss()
    assert shown.screen == "enrolled"
    return Enrolled(running, customer)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (lambda: jpeg(scene.black()), Reason.TOO_DARK),
        (lambda: jpeg(scene.empty(3)), Reason.NO_HAND),
        (lambda: jpeg(scene.face(3)), Reason.NO_HAND),
        (lambda: jpeg(scene.two_hands(DrawnPerson(1), DrawnPerson(2), 0)), Reason.TWO_HANDS),
        (lambda: jpeg(scene.too_far(DrawnPerson(1), 0)), Reason.TOO_FAR),
        (truncated, TillHint.UNREADABLE),
        (huge, TillHint.UNREADABLE),
        (lambda: b"", TillHint.UNREADABLE),
    ],
    ids=["black", "nobody", "a face", "two hands", "too far", "truncated", "100 megapixels", "nothing"],
)
def test_a_picture_without_a_palm_is_a_hint_and_pays_nothing(
    enrolled: Enrolled, picture: Callable[[], bytes], reason: str
) -> None:
    """
    The customer is told what to do; the payment goes on waiting; nobody is debited.
    """
    before = enrolled.customer.balance()
    payment_intent = enrolled.running.shop.ask()

    shown = enrolled.running.till.pay([picture] * 3)
    enrolled.running.shop.cancel(payment_intent)
    enrolled.running.till.dismiss()

    assert (shown.screen, shown.reason) == ("no_palm", reason)
    assert enrolled.customer.balance() == before


def test_a_dead_matcher_is_a_clear_refusal_and_pays_nothing_until_it_is_back(enrolled: Enrolled) -> None:
    """
    Without one of the three nobody is recognised, and nobody is debited; once it is back, all is as before. The pages
    of the others say so.
    """
    before = enrolled.customer.balance()
    supervisor = enrolled.running.supervisor
    supervisor.kill_member("matcher-b")
    dead = enrolled.pay()
    during = enrolled.customer.balance()
    page_then = httpx.get(enrolled.running.demo.matcher_urls[0])

    supervisor.restart_member("matcher-b")
    back = enrolled.pay()
    page_now = httpx.get(enrolled.running.demo.matcher_urls[0]).text

    assert (dead.screen, dead.reason) == ("trouble", "party_unavailable")
    assert during == before
    assert back.screen == "paid"
    assert (page_then.status_code, "Waiting for peers" in page_then.text) == (200, True)
    assert "Ok: it reaches both peers" in page_now
    assert "Every answer is proved" in page_now
    assert enrolled.customer.balance() == before - AMOUNT_MINOR


def test_shares_are_renewed_on_order_and_the_same_palm_still_pays(enrolled: Enrolled) -> None:
    """
    `handsel renew` is confirmed by all three; after the next payment no matcher has a share of before, and all goes on.
    """
    directory = enrolled.running.demo.directory
    logs = [directory / f"matcher-{name}" / "log.jsonl" for name in "abc"]

    assert main(["renew", "--config", str(directory / "issuer" / CONFIG_FILE)]) == 0
    first = enrolled.pay()
    deadline_s = monotonic() + RENEWED_S_MAX
    while not all("shares_renewed" in log.read_text() for log in logs) and monotonic() < deadline_s:
        sleep(0.1)

    assert first.screen == "paid"
    assert all("shares_renewed" in log.read_text() for log in logs)
    assert enrolled.pay().screen == "paid"


def test_a_wrong_code_enrols_nobody_and_the_right_one_still_does(enrolled: Enrolled) -> None:
    """
    A mistyped code is declined, and costs nothing but another try.
    """
    other = drawn_guests(2, 0)[0][1]
    customer = enrolled.running.customer()
    code = customer.prepare()
    wrong = f"{(int(code) + 1) % 10**8:08d}"

    refused = enrolled.running.till.enrol(wrong, other.enrolment)
    enrolled.running.till.dismiss()
    palms_then = customer.wallet().palms
    accepted = enrolled.running.till.enrol(code, other.enrolment)
    enrolled.running.till.dismiss()

    assert (refused.screen, refused.reason) == ("declined", "wrong_code")
    assert palms_then == ()
    assert accepted.screen == "enrolled"


def test_one_palm_is_not_enrolled_twice(enrolled: Enrolled) -> None:
    """
    A palm that has a wallet is not joined to a second one.
    """
    second = enrolled.running.customer()

    shown = enrolled.running.till.enrol(second.prepare(), ADA.enrolment)
    enrolled.running.till.dismiss()

    assert (shown.screen, shown.reason) == ("declined", "already_enrolled")


def test_a_double_tap_asks_once_and_two_pages_pay_once(enrolled: Enrolled) -> None:
    """
    The same request sent twice at once is one payment, and two pages that both send pictures make one charge.
    """
    before = enrolled.customer.balance()
    body = {"id": new_id(), "amount": AMOUNT_MINOR, "currency": "eur"}
    answers: list[int] = []

    def tap() -> None:
        key = enrolled.running.demo.merchant_key.reveal()
        url = enrolled.running.demo.acquirer_api + "/v1/payment_intents"
        answers.append(httpx.post(url, json=body, headers={"Authorization": f"Bearer {key}"}).status_code)

    in_parallel(tap)
    in_parallel(lambda: enrolled.running.till.pay(ADA.visits[0]))
    enrolled.running.till.dismiss()

    assert answers == [200, 200]
    assert enrolled.customer.balance() == before - AMOUNT_MINOR


def test_a_killed_till_finishes_what_it_began(enrolled: Enrolled) -> None:
    """
    A till that dies while it pays loses and doubles nothing: the customer was debited and the shop is paid, or neither.
    """
    before = enrolled.customer.balance()
    payment_intent = enrolled.running.shop.ask()
    supervisor, till = enrolled.running.supervisor, enrolled.running.till
    state = till.wait_for_charge()
    pictures = [picture() for picture in ADA.visits[0][:2]]
    till.show(state.session, pictures[0])
    paying = threading.Thread(target=swallow, args=(lambda: till.show(state.session, pictures[1]),))
    paying.start()
    supervisor.kill_member("till")
    paying.join()
    supervisor.restart_member("till")

    status = enrolled.running.shop.wait_until_settled(payment_intent)
    if status == "requires_palm":
        enrolled.running.shop.cancel(payment_intent)

    paid_minor = AMOUNT_MINOR if status == "succeeded" else 0
    assert status in ("succeeded", "requires_palm")
    assert enrolled.customer.balance() == before - paid_minor
    assert enrolled.customer.balance() < TOP_UP_MINOR


def test_pages_of_other_origins_cannot_use_the_till(enrolled: Enrolled) -> None:
    """
    The agent listens on the machine for its own page alone.
    """
    url = enrolled.running.demo.till_api + "/v1/cancel"

    foreign = httpx.post(url, json={}, headers={"Origin": "https://elsewhere.example"})
    renamed = httpx.post(url, json={}, headers={"Host": "elsewhere.example"})

    assert (foreign.status_code, renamed.status_code) == (401, 421)
    assert httpx.get(enrolled.running.demo.till_api + "/v1/state").status_code == 200


def test_what_was_reserved_with_a_tip_is_taken_in_part_and_the_rest_is_free(enrolled: Enrolled) -> None:
    """
    The sum is known only later: all six processes, with a tip that was chosen on the till's page. The till is killed,
    and off when it is taken; its receipt comes all the same, and its code pays back.
    """
    demo, http = enrolled.running.demo, enrolled.running.http
    shop = Party(http, demo.acquirer_api, demo.merchant_key.reveal())
    before = enrolled.customer.balance()
    body = {"id": new_id(), "amount": 400, "currency": "eur", "capture_method": "manual", "hold_s": 3600}
    intent = shop.post("/v1/payment_intents", {**body, "tip_choices": {"percentages": [10]}}, PaymentIntentBody)
    asked = enrolled.running.till.wait_for_charge()
    tip = {"session": asked.session, "tip_minor": asked.tips[0].amount_minor}
    total = Party(http, demo.till_api).post("/v1/tip", tip, AgentState).amount_minor

    shown = enrolled.running.till.pay(ADA.visits[0])
    enrolled.running.till.dismiss()
    enrolled.running.supervisor.kill_member("till")
    reserved = enrolled.customer.wallet()
    captured = shop.post(f"/v1/payment_intents/{intent.id}/capture", {"amount_to_capture": 300}, PaymentIntentBody)

    assert (shown.screen, total) == ("reserved", 440)
    assert (reserved.balance, [hold.amount_minor for hold in reserved.holds]) == (before - 440, [440])
    assert (captured.status, captured.amount_received) == ("succeeded", 300)
    assert captured.amount_details.tip.amount == 40
    after = enrolled.customer.wallet()
    assert (after.balance, after.holds, after.history[0].amount_minor) == (before - 300, (), -300)
    assert "Of which tip" in http.get(f"{demo.acquirer_api}{captured.receipt}").text
    enrolled.running.supervisor.restart_member("till")
    receipt = enrolled.customer.read_receipt()
    stated = read_statement(receipt.signed)
    assert (stated.amount_minor, stated.tip_minor, stated.shop) == (300, 40, asked.merchant)
    assert captured.receipt == f"/receipts/{stated.receipt_code}"
    assert enrolled.running.shop.give_back_by_receipt(intent.id, receipt.return_code) == "succeeded"
    assert enrolled.customer.balance() == before


def in_parallel(call: Callable[[], object]) -> None:
    """
    Call twice at once.
    """
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def swallow(call: Callable[[], AgentState]) -> None:
    """
    Call, and let the other end die meanwhile.
    """
    with contextlib.suppress(HandselError):
        call()
