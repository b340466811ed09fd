"""
Tell the whole story: people enrol and pay, strangers try, one is refunded, one is erased and no longer pays, and is
paid back by the receipt all the same.

Real processes and real HTTP. Whether somebody was taken for someone else is read from the wallets: who was debited?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from handsel.wiring.actors import Customer, HandShown, Picture, Shop, TillCamera, open_http
from handsel.wiring.demo import Demo

PART_MINOR = 1_00  # Of a payment of 4.50 EUR: the rest is paid back by its receipt.

Report = Callable[["Line"], None]


@dataclass(frozen=True)
class Guest:
    """
    Be a person with a hand: pictures to enrol with, and one set of pictures for each time that the hand is held out.
    """

    name: str
    enrolment: tuple[Picture, ...]
    visits: tuple[tuple[Picture, ...], ...]


@dataclass(frozen=True)
class Line:
    """
    Say what one person did, what came of it, and how long it took.
    """

    who: str
    step: str
    outcome: str
    elapsed_s: float


@dataclass
class Tally:
    """
    Count what the story came to.
    """

    people: int = 0
    enrolled: int = 0
    visits: int = 0
    visits_paid: int = 0
    paid: set[str] = field(default_factory=set)
    taken_for_someone_else: int = 0
    stranger_visits: int = 0
    strangers_paid: int = 0
    refunded: bool | None = None
    erased_pays: bool | None = None
    paid_back_by_receipt: bool | None = None

    @property
    def is_safe(self) -> bool:
        """
        Return whether nobody paid with someone else's money, and no erased palm paid.
        """
        return self.taken_for_someone_else == 0 and self.strangers_paid == 0 and not self.erased_pays


@dataclass(frozen=True)
class _Regular:
    guest: Guest
    customer: Customer
    payment_intent: str


def tell_story(
    demo: Demo, people: tuple[Guest, ...], strangers: tuple[Guest, ...], report: Report = lambda _: None
) -> Tally:
    """
    Tell all of it on a running Handsel, line by line to `report`, and return what it came to.

    Raises `PartyUnavailable` where it cannot be told to its end.
    """
    with open_http() as http:
        return Story(http, demo, report).tell(people, strangers)


class Story:
    """
    Tell the story on a running Handsel, one line at a time.
    """

    def __init__(self, http: httpx.Client, demo: Demo, report: Report) -> None:
        self._http = http
        self._demo = demo
        self._report = report
        self._shop = Shop(http, demo)
        self._till = TillCamera(http, demo.till_api)
        self.tally = Tally()

    def tell(self, people: tuple[Guest, ...], strangers: tuple[Guest, ...]) -> Tally:
        """
        Tell all of it, and return what it came to. Raises `PartyUnavailable` where it cannot be told to its end.
        """
        self.tally.people = len(people)
        enrolled = [(guest, customer) for guest in people for customer in self._enrol(guest)]
        regulars = [regular for guest, customer in enrolled for regular in self._pay(guest, customer)]
        for stranger in strangers:
            self._try(stranger)
        if regulars:
            self._refund(regulars[0])
            self._erase(regulars[-1])
            self._return(regulars[-1])
        return self.tally

    def _enrol(self, guest: Guest) -> Iterator[Customer]:
        customer = Customer(self._http, self._demo.issuer_api)
        shown = self._till.enrol(customer.prepare(), guest.enrolment)
        self._till.dismiss()
        self._say(guest, "enrols", shown, {"enrolled": "enrolled"})
        if shown.screen == "enrolled":
            self.tally.enrolled += 1
            yield customer

    def _pay(self, guest: Guest, customer: Customer) -> Iterator[_Regular]:
        for visit in guest.visits:
            self.tally.visits += 1
            before = customer.balance()
            payment_intent, shown = self._hold_out(visit)
            is_own = customer.balance() < before
            if shown.screen == "paid" and not is_own:
                self.tally.taken_for_someone_else += 1
            if shown.screen == "paid" and is_own:
                self.tally.visits_paid += 1
                self.tally.paid.add(guest.name)
                yield _Regular(guest, customer, payment_intent)
            self._say(guest, "pays", shown, {"paid": "PAID" if is_own else "TAKEN FOR SOMEONE ELSE"})

    def _try(self, stranger: Guest) -> None:
        for visit in stranger.visits:
            self.tally.stranger_visits += 1
            _, shown = self._hold_out(visit)
            self.tally.strangers_paid += shown.screen == "paid"
            self._say(stranger, "tries", shown, {"paid": "PAID WITH SOMEONE ELSE'S MONEY"})

    def _refund(self, regular: _Regular) -> None:
        before = regular.customer.balance()
        self._shop.give_back(regular.payment_intent, amount_minor=PART_MINOR)
        shown = self._till.take_back(regular.guest.visits[0])
        self._till.dismiss()
        self.tally.refunded = shown.screen == "refunded" and regular.customer.balance() > before
        self._say(
            regular.guest, "is refunded", shown, {"refunded": "credited" if self.tally.refunded else "NOT CREDITED"}
        )

    def _erase(self, regular: _Regular) -> None:
        regular.customer.erase_palm()
        _, shown = self._hold_out(regular.guest.visits[0])
        self.tally.erased_pays = shown.screen == "paid"
        self._say(regular.guest, "pays, erased", shown, {"paid": "PAID THOUGH ERASED"})

    def _return(self, regular: _Regular) -> None:
        started, before = time.monotonic(), regular.customer.balance()
        receipt = regular.customer.read_receipt()
        status = self._shop.give_back_by_receipt(regular.payment_intent, receipt.return_code)
        has_arrived = status == "succeeded" and regular.customer.balance() > before
        self.tally.paid_back_by_receipt = has_arrived
        outcome = "credited" if has_arrived else "NOT CREDITED"
        self._report(Line(regular.guest.name, "shows the receipt", outcome, time.monotonic() - started))

    def _hold_out(self, pictures: tuple[Picture, ...]) -> tuple[str, HandShown]:
        payment_intent = self._shop.ask()
        shown = self._till.pay(pictures)
        if shown.screen != "paid":
            self._shop.cancel(payment_intent)
        self._till.dismiss()
        return payment_intent, shown

    def _say(self, guest: Guest, step: str, shown: HandShown, good: dict[str, str]) -> None:
        fallback = (
            f"{shown.screen}: {shown.reason}".replace("_", " ") if shown.reason else shown.screen.replace("_", " ")
        )
        self._report(Line(guest.name, step, good.get(shown.screen, fallback), shown.elapsed_s))
