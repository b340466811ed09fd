"""
A till shows what its own merchant asked for last, and nothing that is over or under way.
"""

from __future__ import annotations

from handsel.flows.acquiring.request_payment import cancel_payment_intent
from handsel.flows.acquiring.request_refund import cancel_refund
from handsel.flows.acquiring.show_action import Action, current_action
from handsel.flows.acquiring.sign_in import register_till
from handsel.pay.merchant import Till
from handsel.pay.money import Money
from tests.flows.acquiring.street import SHOP, TILL, Street


def action(street: Street) -> Action | None:
    return current_action(street.acquirer, TILL, now_ms=street.now_ms)


def test_a_till_shows_amount_merchant_and_description(street: Street) -> None:
    payment = street.ask(450)

    assert action(street) == Action("charge", payment.id, Money(450, "EUR"), "Corner Café", "Coffee")


def test_a_till_with_nothing_to_do_shows_nothing(street: Street) -> None:
    assert action(street) is None


def test_of_several_payments_the_newest_is_shown_and_then_the_one_before(street: Street) -> None:
    older, newer = street.ask(1), street.ask(2)

    first = action(street)
    cancel_payment_intent(street.acquirer, SHOP, newer.id, now_ms=street.now_ms)
    second = action(street)

    assert first is not None and first.id == newer.id
    assert second is not None and second.id == older.id


def test_what_has_a_palm_on_its_way_is_not_shown(street: Street) -> None:
    shown = street.show("ann", street.ask())
    street.submit(shown)

    assert action(street) is None


def test_what_waits_for_too_long_is_not_shown(street: Street) -> None:
    street.ask()

    street.now_ms += street.acquirer.bounds.shown_ms_max
    assert action(street) is not None
    street.now_ms += 1
    assert action(street) is None


def test_a_refund_is_shown_with_what_was_bought(street: Street) -> None:
    refund = street.ask_refund(street.pay(), 200)

    assert action(street) == Action("refund", refund.id, Money(200, "EUR"), "Corner Café", "Coffee")
    cancel_refund(street.acquirer, SHOP, refund.id)
    assert action(street) is None


def test_of_a_payment_and_a_refund_the_newer_is_shown(street: Street) -> None:
    paid = street.pay()
    street.ask()
    street.now_ms += 1
    refund = street.ask_refund(paid)
    shown_first = action(street)
    street.now_ms += 1
    payment = street.ask()

    shown_then = action(street)

    assert shown_first is not None and shown_first.id == refund.id
    assert shown_then is not None and shown_then.id == payment.id


def test_another_till_shows_its_own(street: Street) -> None:
    other = Till("corner-cafe", "till-2")
    register_till(street.acquirer, other, token="o" * 64)
    street.ask()

    assert current_action(street.acquirer, other, now_ms=street.now_ms) is None
