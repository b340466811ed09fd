"""
The whole way on PostgreSQL, with every party as a process of its own: palms pay and are paid back to, a killed issuer
and a killed acquirer go on where they stopped, and no money lies in a file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handsel.wiring.guests import drawn_guests
from handsel.wiring.story import tell_story
from tests.journeys.conftest import Running, running_in
from tests.postgresql import TestServer

PARTIES = ("issuer", "acquirer")

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def on_postgresql(postgresql: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """
    Give a Handsel whose issuer and acquirer keep their books in PostgreSQL, each in a place of its own.
    """
    directory = tmp_path_factory.mktemp("handsel")
    with pytest.MonkeyPatch.context() as environment:
        for party in PARTIES:
            environment.setenv(f"HANDSEL_{party.upper()}_DATABASE_URL", postgresql.url_at(directory / party))
        with running_in(directory) as found:
            yield found


def test_people_pay_and_are_paid_back_and_no_money_lies_in_a_file(on_postgresql: Running) -> None:
    people, strangers = drawn_guests(2, 1)

    tally = tell_story(on_postgresql.demo, people, strangers)

    assert (tally.enrolled, len(tally.paid), tally.stranger_visits) == (2, 2, 1)
    assert (tally.refunded, tally.erased_pays, tally.is_safe) == (True, False, True)
    for party in PARTIES:
        assert list((on_postgresql.demo.directory / party).glob("*.sqlite*")) == []


def test_who_is_killed_knows_afterwards_what_it_said_and_goes_on(on_postgresql: Running) -> None:
    guest, customer = drawn_guests(4, 0)[0][3], on_postgresql.customer()
    assert on_postgresql.till.enrol(customer.prepare(), guest.enrolment).screen == "enrolled"
    on_postgresql.till.dismiss()
    before, first = customer.balance(), on_postgresql.shop.ask()
    assert on_postgresql.till.pay(guest.visits[0]).screen == "paid"
    on_postgresql.till.dismiss()

    for party in PARTIES:
        on_postgresql.supervisor.kill_member(party)
        on_postgresql.supervisor.restart_member(party)

    assert on_postgresql.shop.wait_until_settled(first) == "succeeded"
    assert before - customer.balance() == 4_50
    second = on_postgresql.shop.ask()
    assert on_postgresql.till.pay(guest.visits[0]).screen == "paid"
    assert on_postgresql.shop.wait_until_settled(second) == "succeeded"
    assert before - customer.balance() == 9_00
