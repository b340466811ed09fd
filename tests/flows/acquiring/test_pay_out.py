"""
Promise that each merchant is paid out what is due to it, once, whatever crashes and whatever the bank answers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from handsel.bank.booking import Difference, OrderState
from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, OwnAccount
from handsel.bank.read_statement import read_statements
from handsel.bank.read_status import Refusal
from handsel.bank.statement import Movement
from handsel.errors import BodyInvalid, NotFound
from handsel.flows.acquiring.accounts import settlement
from handsel.flows.acquiring.book_statement import book_statements, follow_orders
from handsel.flows.acquiring.merchant_bank_account import bank_account_of, set_bank_account
from handsel.flows.acquiring.pay_out import list_pay_outs, order_pay_outs, show_pay_out
from handsel.flows.banking.book_statement import Booked
from handsel.flows.banking.book_status import book_status
from handsel.flows.banking.explain_payment import refuse_order
from handsel.flows.banking.order_payments import NothingDue
from handsel.flows.banking.reconcile import OVERDUE_DAYS, Reconciliation, reconcile
from handsel.flows.banking.transfer_file import TransferFile
from handsel.flows.issuing.settle_acquirers import AcquirerAccount, settle_acquirers
from handsel.pay.merchant import Merchant
from handsel.pay.money import Money
from handsel.wiring.bank_file import written_transfers
from tests.bank.camt import OURS, THEIRS, camt
from tests.flows.acquiring.near_issuer import ACQUIRER
from tests.flows.acquiring.street import SHOP, Street
from tests.flows.issuing.at_bank import OWN as ISSUERS

OWN = OwnAccount(Holder("Example Acquirer", Iban(OURS)))
CAFE = Holder("Corner Café Ltd", Iban(THEIRS))
REFERENCE = "RF966JPDQWT4FERD"


class AtBank:
    """
    Hold the acquirer's account, whose statements follow one another.
    """

    def __init__(self, street: Street) -> None:
        self.street = street
        self.balance_minor = 0
        self._numbers = count(1)
        set_bank_account(street.acquirer, SHOP, CAFE, now_ms=street.now_ms)

    def day(self, days: int = 1) -> date:
        return datetime.fromtimestamp(self.street.now_ms / 1000, tz=UTC).date() + timedelta(days=days)

    def pay_out(self, days: int = 1, *, minor_min: int = 1) -> TransferFile | NothingDue:
        return order_pay_outs(
            self.street.database,
            by=OWN,
            due_on=self.day(days),
            amount_minor_min=minor_min,
            now_ms=self.street.now_ms,
        )

    def paid_out(self, days: int = 1) -> TransferFile:
        made = self.pay_out(days)
        assert isinstance(made, TransferFile)
        return made

    def say(self, *movements: Movement) -> Booked:
        raw = camt(movements, name=f"A-{next(self._numbers)}", opening=self.balance_minor)
        self.balance_minor += sum(each.change_minor for each in movements)
        (booked,) = book_statements(
            self.street.acquirer,
            read_statements(raw),
            of=OWN.holder.iban,
            settlement_reference=REFERENCE,
            now_ms=self.street.now_ms,
        )
        return booked

    def moves(self, minor: int, order_id: str = "", *, days: int = 1, **more: Any) -> Movement:
        """
        Return money that leaves (below zero) or comes, under a new name of the bank's.
        """
        name, day = f"bank-{next(self._numbers)}", self.day(days).isoformat()
        plain = Movement(Money(abs(minor), "EUR"), minor > 0, day, name, end_to_end_id=order_id)
        return replace(plain, **more)

    def refuse(self, refusal: Refusal) -> int:
        with self.street.database.unit_of_work() as books:
            done = book_status(
                books.bank,
                (refusal,),
                refuse=lambda bank, order, reason, now_ms: refuse_order(
                    *(bank, order), reason=reason, ended=follow_orders(books), now_ms=now_ms
                ),
                now_ms=self.street.now_ms,
            )
            books.commit()
        return done.refused

    def reconcile(self) -> Reconciliation:
        with self.street.database.unit_of_work() as books:
            books.audit()
            return reconcile(books.bank, currency="EUR", expected=())

    def states(self) -> list[OrderState]:
        return [each.state for each in list_pay_outs(self.street.acquirer, SHOP)]


@pytest.fixture
def bank(street: Street) -> AtBank:
    return AtBank(street)


def refund(street: Street, payment_id: str, minor: int) -> None:
    asked = street.ask_refund(street.payment(payment_id), minor)
    street.submit_refund(street.show_for_refund("ann", asked))


def test_a_pay_out_is_every_payment_since_the_last_less_every_refund(street: Street, bank: AtBank) -> None:
    first, second = street.pay(minor=4_50), street.pay(minor=3_00)
    refund(street, first.id, 1_00)

    made = bank.paid_out()

    (order,) = made.orders
    assert (order.to, order.money) == (CAFE, Money(6_50, "EUR"))
    contents = show_pay_out(street.acquirer, SHOP, order.id)
    assert sorted(item.change_minor for item in contents.items) == [-1_00, 3_00, 4_50]
    assert {first.id, second.id} < {item.item_id for item in contents.items}
    street.pay(minor=2_00)
    (later,) = bank.paid_out(2).orders
    assert later.money == Money(2_00, "EUR")


def test_asking_again_for_the_day_gives_the_same_file_and_no_second_payment(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    made = bank.paid_out()
    street.restart()  # The file was not written when it crashed.
    street.pay(minor=2_00)

    assert written_transfers(bank.paid_out()).content == written_transfers(made).content
    assert len(bank.states()) == 1


def test_money_is_reserved_until_the_bank_states_that_it_left(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    (order,) = bank.paid_out().orders
    assert (street.shop_minor(), bank.states()) == (4_50, [OrderState.ORDERED])
    bank.balance_minor = 10_00

    assert bank.say(bank.moves(-4_50, order.id)).differences == ()

    assert (street.shop_minor(), bank.states()) == (0, [OrderState.DONE])
    assert bank.reconcile().is_explained


def test_one_sum_for_the_whole_file_pays_all_of_it(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    order_id = bank.paid_out().orders[0].id
    with street.database.unit_of_work() as books:
        order = books.bank.find_order(order_id)
    assert order is not None

    wrong = bank.say(bank.moves(-4_49, block_id=order.block_id))
    right = bank.say(bank.moves(-4_50, block_id=order.block_id))
    again = bank.say(bank.moves(-4_50, block_id=order.block_id))

    assert [each.differences for each in (wrong, right, again)] == [
        (Difference.AMOUNT_DIFFERS,),
        (),
        (Difference.DUPLICATE_ENTRY,),
    ]


@pytest.mark.parametrize("refused_first", [True, False])
def test_what_did_not_reach_the_merchant_is_due_again(street: Street, bank: AtBank, refused_first: bool) -> None:
    payment = street.pay(minor=4_50)
    (order,) = bank.paid_out().orders
    if refused_first:
        assert bank.refuse(Refusal(order_id=order.id, reason="AC01")) == 1
        assert bank.refuse(Refusal(order_id=order.id, reason="AC01")) == 0
    else:
        bank.say(bank.moves(-4_50, order.id))
        bank.say(bank.moves(4_50, order.id, return_code="AC04"))

    assert street.shop_minor() == 4_50
    (again,) = bank.paid_out(2).orders
    assert again.money == Money(4_50, "EUR") and again.id != order.id
    assert sorted(bank.states()) == sorted(
        [OrderState.ORDERED, OrderState.REFUSED if refused_first else OrderState.RETURNED]
    )
    old, new = (show_pay_out(street.acquirer, SHOP, each.id) for each in (order, again))
    assert [item.item_id for item in old.items] == [item.item_id for item in new.items] == [payment.id]
    late = bank.moves(-4_50, order.id)
    assert bank.say(late).differences == (Difference.ORDER_ENDED,)


def test_a_payment_waits_while_a_refund_of_it_is_under_way(street: Street, bank: AtBank) -> None:
    kept = street.pay(minor=4_50)
    street.pay(minor=3_00)
    asked = street.ask_refund(kept, 1_00)

    (order,) = bank.paid_out().orders
    assert order.money == Money(3_00, "EUR")
    street.submit_refund(street.show_for_refund("ann", asked))
    (later,) = bank.paid_out(2).orders
    assert later.money == Money(3_50, "EUR")


def test_a_refund_of_what_was_paid_out_is_covered_by_what_came_in_since(street: Street, bank: AtBank) -> None:
    paid_out = street.pay(minor=4_50)
    bank.paid_out()
    with pytest.raises(BodyInvalid):
        street.ask_refund(paid_out, 1)

    street.pay(minor=3_00)
    asked = street.ask_refund(paid_out, 2_00)
    with pytest.raises(BodyInvalid):
        street.ask_refund(paid_out, 1_01)
    assert isinstance(bank.pay_out(2), NothingDue)  # It waits for the refund.
    street.submit_refund(street.show_for_refund("ann", asked))
    (later,) = bank.paid_out(2).orders
    assert later.money == Money(1_00, "EUR")


def test_too_little_waits_and_so_does_who_has_named_no_account(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    assert isinstance(bank.pay_out(minor_min=4_51), NothingDue)
    assert isinstance(bank.pay_out(minor_min=4_50), TransferFile)
    other = Merchant("other-shop", "Other")
    assert bank_account_of(street.acquirer, other) is None


def test_a_new_account_is_for_what_is_ordered_from_now_on(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    made = bank.paid_out()
    new = Holder("Corner Café Ltd", Iban("NL91ABNA0417164300"))
    set_bank_account(street.acquirer, SHOP, new, now_ms=street.now_ms)
    street.pay(minor=1_00)

    assert bank_account_of(street.acquirer, SHOP) == new
    assert written_transfers(bank.paid_out()).content == written_transfers(made).content
    assert bank.paid_out(2).orders[0].to == new


def test_a_merchant_sees_its_own_pay_outs_alone(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    (order,) = bank.paid_out().orders

    assert list_pay_outs(street.acquirer, Merchant("other-shop", "Other")) == ()
    with pytest.raises(NotFound):
        show_pay_out(street.acquirer, Merchant("other-shop", "Other"), order.id)


def test_what_the_bank_is_silent_about_is_missing_when_it_is_overdue(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    bank.paid_out(1)

    bank.say(bank.moves(1_00, days=1 + OVERDUE_DAYS))
    assert bank.reconcile().differences == ()
    bank.say(bank.moves(1_00, days=2 + OVERDUE_DAYS))
    (line,) = bank.reconcile().differences
    assert (line.name, line.amount_minor) == (Difference.MISSING_AT_BANK, -4_50)


def test_the_issuer_pays_for_redeemed_notes_and_the_acquirer_knows_it(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    street.redeem()
    issuer = replace(street.issuer.issuer, bank=ISSUERS)
    accounts = {ACQUIRER: AcquirerAccount(OWN.holder, REFERENCE), "stranger": AcquirerAccount(CAFE, REFERENCE)}

    made = settle_acquirers(issuer, accounts, due_on=bank.day(), keep_minor=50)

    assert isinstance(made, TransferFile)
    assert settle_acquirers(issuer, accounts, due_on=bank.day(), keep_minor=50) == made
    assert isinstance(settle_acquirers(issuer, accounts, due_on=bank.day(2), keep_minor=50), NothingDue)
    ((order,), money) = made.orders, Money(4_00, "EUR")
    assert (order.to, order.money, order.text) == (OWN.holder, money, REFERENCE)
    comes = bank.moves(4_00, order.id, reference=order.text)
    assert bank.say(comes).differences == ()
    assert street.in_hand(settlement) == 50


def test_what_the_acquirer_does_not_expect_is_named(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    street.redeem()
    moves = (
        bank.moves(4_51, reference=REFERENCE),
        bank.moves(1_00),
        bank.moves(1_00, is_reference_wrong=True, reference="RF6709876543210Z"),
        bank.moves(-1_00),
        bank.moves(1_00, is_reversal=True),
    )

    assert bank.say(*moves).differences == (
        Difference.AMOUNT_DIFFERS,
        Difference.NO_REFERENCE,
        Difference.UNKNOWN_REFERENCE,
        Difference.MISSING_IN_LEDGER,
        Difference.REVERSAL_UNMATCHED,
    )


def test_an_order_is_not_paid_with_another_amount_or_twice(street: Street, bank: AtBank) -> None:
    street.pay(minor=4_50)
    (order,) = bank.paid_out().orders

    assert bank.say(bank.moves(-4_51, order.id)).differences == (Difference.AMOUNT_DIFFERS,)
    early = bank.moves(4_50, order.id, return_code="AC04")
    assert bank.say(early).differences == (Difference.REVERSAL_UNMATCHED,)
    assert bank.say(bank.moves(-4_50, order.id)).differences == ()
    assert bank.say(bank.moves(-4_50, order.id)).differences == (Difference.DUPLICATE_ENTRY,)
