"""
The one-to-one way with every party as a process of its own: a card is made, pays, is paid back to, and is lost.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from handsel.till.card import Card, read_card
from handsel.vision.frame import decode_frame
from handsel.vision.qr_code import read_qr_code
from handsel.wiring.actors import Customer
from handsel.wiring.guests import drawn_guests
from handsel.wiring.story import Guest
from tests.journeys.conftest import Running

pytestmark = pytest.mark.journey

PARTIES = ("issuer", "acquirer", "matcher-a", "matcher-b", "matcher-c", "till")


@dataclass(frozen=True)
class Holder:
    """
    Be somebody with a card, as the phone has it that photographed it.
    """

    guest: Guest
    customer: Customer
    photograph: bytes
    card: Card


@pytest.fixture(scope="module")
def holder(running: Running) -> Holder:
    """
    Have a card made at the till.
    """
    guest = drawn_guests(1, 0)[0][0]
    customer = running.customer()
    shown, photograph = running.till.enrol_card(customer.prepare_card(), guest.enrolment)
    running.till.dismiss()
    assert (shown.screen, shown.reason) == ("enrolled", "")
    card = read_card(read_qr_code(decode_frame(photograph)) or "")
    assert card is not None
    return Holder(guest, customer, photograph, card)


def test_a_card_and_its_palm_pay_and_are_paid_back_to(running: Running, holder: Holder) -> None:
    before = holder.customer.balance()
    payment = running.shop.ask()

    paid = running.till.pay((lambda: holder.photograph, *holder.guest.visits[0]))
    running.till.dismiss()
    assert (paid.screen, running.shop.wait_until_settled(payment)) == ("paid", "succeeded")
    between = holder.customer.balance()
    running.shop.give_back(payment)
    back = running.till.take_back((lambda: holder.photograph, *holder.guest.visits[0]))
    running.till.dismiss()

    assert back.screen == "refunded"
    assert (before - between, holder.customer.balance()) == (4_50, before)


def test_the_palm_alone_is_nobodys(running: Running, holder: Holder) -> None:
    """
    Who chose a card is in no gallery: no matcher has ever heard of the palm.
    """
    payment = running.shop.ask()

    shown = running.till.pay(holder.guest.visits[0])
    running.shop.cancel(payment)
    running.till.dismiss()

    assert (shown.screen, shown.reason) == ("declined", "not_recognised")


def test_the_card_alone_is_useless(running: Running, holder: Holder) -> None:
    """
    A stranger who has found the card is told what every stranger is told, and the shop's bank hears of no charge.
    """
    stranger = drawn_guests(2, 0)[0][1]
    before = holder.customer.balance()
    payment = running.shop.ask()

    shown = running.till.pay((lambda: holder.photograph, *stranger.visits[0]))
    running.shop.cancel(payment)
    running.till.dismiss()

    assert (shown.screen, shown.reason) == ("declined", "not_recognised")
    assert holder.customer.balance() == before


def test_the_card_is_on_no_disk(running: Running, holder: Holder) -> None:
    """
    Of the card, the issuer has its id and its public key; nobody has its key; logs name none of it.
    """
    directory = running.demo.directory

    assert holders(directory, holder.card.key) == holders(directory, holder.card.text.encode()) == set()
    assert holders(directory, holder.card.id) == holders(directory, holder.card.public_key) == {"issuer"}
    logs = "".join((directory / party / "log.jsonl").read_text() for party in PARTIES)
    assert holder.card.id.hex() not in logs
    entries = json.loads((directory / "till" / "journal.json").read_text())["entries"]
    assert entries == []


def test_a_lost_card_pays_nothing_any_more(running: Running, holder: Holder) -> None:
    holder.customer.revoke_card()
    payment = running.shop.ask()

    shown = running.till.pay((lambda: holder.photograph, *holder.guest.visits[0]))
    running.shop.cancel(payment)
    running.till.dismiss()

    assert (shown.screen, shown.reason) == ("declined", "card_unknown")
    assert holder.customer.wallet().card is None


def holders(directory: Path, needle: bytes) -> set[str]:
    """
    Return the parties of whom some file holds these bytes.
    """
    return {
        party
        for party in PARTIES
        if any(needle in path.read_bytes() for path in (directory / party).rglob("*") if path.is_file())
    }
