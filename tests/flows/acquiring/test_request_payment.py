"""
What a merchant asks for is kept once, shown to nobody else, and given up only while nothing was paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handsel.errors import BodyInvalid, IdReused, NotFound
from handsel.flows.acquiring.request_payment import (
    PaymentRequest,
    cancel_payment_intent,
    create_payment_intent,
    find_payment_intent,
    list_payment_intents,
)
from handsel.flows.acquiring.show_action import current_action
from handsel.flows.acquiring.sign_in import register_merchant, register_till
from handsel.ids import new_id
from handsel.notes.denomination import AMOUNT_MINOR_MAX
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.pay.payment import PaymentIntent, PaymentStatus, Pending
from handsel.store.acquirer import AcquirerDatabase, AcquirerTransaction
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import NOW_MS, SHOP, TILL, Street, at_once

OTHER_SHOP = Merchant("bakery", "Bakery")


def create(street: Street, request: PaymentRequest, merchant: Merchant = SHOP) -> PaymentIntent:
    return create_payment_intent(street.acquirer, merchant, request, now_ms=street.now_ms)


@pytest.fixture
def other_shop(street: Street) -> Merchant:
    """
    Another merchant, with a till.
    """
    register_merchant(street.acquirer, OTHER_SHOP, key="b" * 64)
    register_till(street.acquirer, Till("bakery", "till-1"), token="c" * 64)
    return OTHER_SHOP


def test_a_payment_waits_for_a_palm(street: Street) -> None:
    payment = street.ask(450)

    assert payment.status is PaymentStatus.REQUIRES_PALM
    assert street.payment(payment.id) == payment


def test_the_same_request_again_is_the_same_payment(street: Street) -> None:
    request = PaymentRequest(new_id(), Money(450, "EUR"), "Tea")
    first = create(street, request)
    street.now_ms += 1

    assert create(street, request) == first


def test_the_same_request_from_two_threads_is_one_payment(street: Street) -> None:
    request = PaymentRequest(new_id(), Money(450, "EUR"))

    assert len(set(at_once(*(lambda: create(street, request) for _ in range(4))))) == 1


@pytest.mark.parametrize("change", ["amount", "description", "merchant"])
def test_an_id_stands_for_one_request(street: Street, other_shop: Merchant, change: str) -> None:
    payment_id = new_id()
    create(street, PaymentRequest(payment_id, Money(450, "EUR"), "Tea"))
    amount = Money(451 if change == "amount" else 450, "EUR")
    changed = PaymentRequest(payment_id, amount, "Milk" if change == "description" else "Tea")

    with pytest.raises(IdReused):
        create(street, changed, other_shop if change == "merchant" else SHOP)


def test_amounts_have_bounds(street: Street) -> None:
    create(street, PaymentRequest(new_id(), Money(1, "EUR")))
    create(street, PaymentRequest(new_id(), Money(AMOUNT_MINOR_MAX, "EUR")))

    for minor in (0, AMOUNT_MINOR_MAX + 1):
        with pytest.raises(BodyInvalid):
            create(street, PaymentRequest(new_id(), Money(minor, "EUR")))


def test_the_first_till_is_asked_unless_one_is_named(street: Street) -> None:
    register_till(street.acquirer, Till("corner-cafe", "a-new-till"), token="n" * 64)

    assert create(street, PaymentRequest(new_id(), Money(1, "EUR"))).till_id == "corner-cafe/till-1"
    named = PaymentRequest(new_id(), Money(1, "EUR"), till_name="a-new-till")
    assert create(street, named).till_id == "corner-cafe/a-new-till"


def test_an_unknown_till_is_not_found(street: Street) -> None:
    with pytest.raises(NotFound):
        create(street, PaymentRequest(new_id(), Money(1, "EUR"), till_name="till-9"))


def test_a_merchant_without_a_till_can_ask_for_nothing(street: Street) -> None:
    register_merchant(street.acquirer, OTHER_SHOP, key="b" * 64)

    with pytest.raises(NotFound):
        create(street, PaymentRequest(new_id(), Money(1, "EUR")), OTHER_SHOP)


def test_an_open_payment_is_canceled_for_ever(street: Street) -> None:
    payment = street.ask()

    canceled = cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms)

    assert canceled.status is PaymentStatus.CANCELED
    assert cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms) == canceled


def test_a_paid_payment_stays_paid(street: Street) -> None:
    payment = street.pay()

    assert (
        cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status is PaymentStatus.SUCCEEDED
    )


def test_a_payment_whose_outcome_is_unknown_is_canceled_by_asking_the_issuer(street: Street) -> None:
    payment = street.ask()
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    assert street.submit(street.show("ann", payment)) == Pending()
    assert (
        cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status
        is PaymentStatus.PROCESSING
    )

    street.issuer.line = {}

    assert (
        cancel_payment_intent(street.acquirer, SHOP, payment.id, now_ms=street.now_ms).status is PaymentStatus.CANCELED
    )
    assert street.wallet_minor() == 100_00


def test_another_merchants_payment_does_not_exist(street: Street, other_shop: Merchant) -> None:
    payment = street.ask()

    with pytest.raises(NotFound):
        find_payment_intent(street.acquirer, other_shop, payment.id)
    with pytest.raises(NotFound):
        cancel_payment_intent(street.acquirer, other_shop, payment.id, now_ms=street.now_ms)
    with pytest.raises(NotFound):
        list_payment_intents(street.acquirer, other_shop, limit=1, starting_after=payment.id)
    assert list_payment_intents(street.acquirer, other_shop, limit=1) == ()


def test_payments_are_listed_newest_first_page_by_page(street: Street) -> None:
    made = [street.ask(minor) for minor in (1, 2, 3)]

    first = list_payment_intents(street.acquirer, SHOP, limit=2)
    rest = list_payment_intents(street.acquirer, SHOP, limit=2, starting_after=first[-1].id)

    assert (*first, *rest) == tuple(reversed(made))


def test_a_page_has_bounds(street: Street) -> None:
    bound = street.acquirer.bounds.list_max

    list_payment_intents(street.acquirer, SHOP, limit=bound)
    for limit in (0, bound + 1):
        with pytest.raises(BodyInvalid):
            list_payment_intents(street.acquirer, SHOP, limit=limit)


def test_payments_are_dated(street: Street) -> None:
    assert street.ask().created_ms == NOW_MS


@pytest.mark.parametrize(("minor", "is_taken"), [(20_00, True), (20_01, False)])
def test_a_venue_takes_as_much_by_palm_as_it_says_and_no_till_hears_of_more(
    street: Street, minor: int, is_taken: bool
) -> None:
    street.acquirer = replace(street.acquirer, palm_minor_max={SHOP.id: 20_00})
    request = PaymentRequest(new_id(), Money(minor, "EUR"))

    if is_taken:
        assert create(street, request).amount == request.amount
    else:
        with pytest.raises(BodyInvalid, match=r"at most 20\.00 EUR by palm"):
            create(street, request)
        assert current_action(street.acquirer, TILL, now_ms=street.now_ms) is None


def test_what_one_venue_takes_binds_no_other(street: Street, other_shop: Merchant) -> None:
    street.acquirer = replace(street.acquirer, palm_minor_max={SHOP.id: 20_00})

    assert create(street, PaymentRequest(new_id(), Money(20_01, "EUR")), other_shop).amount == Money(20_01, "EUR")


def test_a_payment_that_is_known_stays_known_where_a_venue_takes_less_from_now_on(street: Street) -> None:
    request = PaymentRequest(new_id(), Money(50_00, "EUR"))
    first = create(street, request)
    street.acquirer = replace(street.acquirer, palm_minor_max={SHOP.id: 20_00})

    assert create(street, request) == first


class InterruptedStore(AcquirerDatabase):
    """
    Do something else just before the unit of work of that number, counted from 0.
    """

    def __init__(self, database: AcquirerDatabase, act: Callable[[], object], *, at: int) -> None:
        super().__init__(database._database)
        self._act = act
        self._left = at

    def unit_of_work(self) -> AcquirerTransaction:
        self._left -= 1
        if self._left == -1:
            self._act()
        return super().unit_of_work()


def test_a_charge_that_a_till_begins_while_another_is_voided_does_not_escape_the_cancel(street: Street) -> None:
    payment = street.ask()
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    street.submit(street.show("ann", payment))

    def begin_another() -> None:
        street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
        assert street.submit(street.show("ann", payment)) == Pending()
        street.issuer.line = {}

    street.issuer.line = {}
    acquirer = replace(street.acquirer, store=InterruptedStore(street.database, begin_another, at=3))

    canceled = cancel_payment_intent(acquirer, SHOP, payment.id, now_ms=street.now_ms)

    assert canceled.status is PaymentStatus.CANCELED
    assert street.issuer.calls["void"] == 2
    assert (street.wallet_minor(), street.available_minor()) == (100_00, 100_00)
    street.audit()


def test_a_cancel_touches_no_other_payment(street: Street) -> None:
    """
    Not the newest, not the one that the till shows, and not the one that is being paid.
    """
    meant, reserved = street.ask(100), street.reserve(minor=200)
    newest, paying = street.ask(300), street.ask(400)
    street.issuer.line = {"charge": Line.LOST, "void": Line.LOST}
    street.submit(street.show("ann", paying))
    street.issuer.line = {}
    before = {each.id: street.payment(each.id) for each in (reserved, newest, paying)}

    cancel_payment_intent(street.acquirer, SHOP, meant.id, now_ms=street.now_ms)

    assert street.payment(meant.id).status is PaymentStatus.CANCELED
    assert {each: street.payment(each) for each in before} == before
    assert street.issuer.calls["void"] + street.issuer.calls["give_back"] == 0
