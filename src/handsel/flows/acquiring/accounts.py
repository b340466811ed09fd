"""
Name the acquirer's accounts, and book movements between them.

What the acquirer owes to a merchant stands on the merchant's account, above zero. What it has itself (notes, a balance
at the issuer) is what those claims rest on, and stands below zero: all accounts of a currency sum to zero.

    notes arrive             notes_held     → merchant
    notes are redeemed       settlement     → notes_held
    a note is refused        differences    → notes_held
    notes are ordered        notes_ordered  → settlement
    ordered notes arrive     notes_held     → notes_ordered
    an order is declined     settlement     → notes_ordered
    a refund is credited     merchant       → notes_held
"""

from __future__ import annotations

from dataclasses import dataclass

from handsel.errors import ensure
from handsel.pay.account import Account, Floor
from handsel.pay.held_note import notes_held
from handsel.pay.ledger import Transfer, derive_id
from handsel.pay.money import Money
from handsel.store.acquirer import AcquirerBooks


def merchant_account(merchant_id: str, *, currency: str) -> Account:
    """
    Return the account of what the acquirer owes to a merchant.
    """
    return Account(f"merchant:{merchant_id}:{currency}", currency, Floor.ZERO)


def settlement(currency: str) -> Account:
    """
    Return the account of what the issuer owes to the acquirer.
    """
    return Account(f"settlement:{currency}", currency, Floor.NONE)


def notes_ordered(currency: str) -> Account:
    """
    Return the account of notes that are being bought.
    """
    return Account(f"notes_ordered:{currency}", currency, Floor.NONE)


def differences(currency: str) -> Account:
    """
    Return the account of notes that the issuer refused: a person is to look at each.
    """
    return Account(f"differences:{currency}", currency, Floor.NONE)


def in_hand_minor(books: AcquirerBooks, account: Account) -> int:
    """
    Return how much there is on one of the acquirer's own accounts, which stand below zero.
    """
    return -books.balance_minor(account.id)


def book_payment(books: AcquirerBooks, payment_id: str, money: Money, *, merchant_id: str, now_ms: int) -> None:
    """
    Book notes that a till handed over. The step's id is that of `booking_of`: it follows from the payment's.
    """
    debit, credit = notes_held(money.currency), merchant_account(merchant_id, currency=money.currency)
    _book(books, _Movement("payment", payment_id, debit, credit), money, now_ms=now_ms)


def book_redeemed(books: AcquirerBooks, redemption_id: str, money: Money, *, now_ms: int) -> None:
    """
    Book notes that the issuer redeemed.
    """
    debit, credit = settlement(money.currency), notes_held(money.currency)
    _book(books, _Movement("redeemed", redemption_id, debit, credit), money, now_ms=now_ms)


def book_refused(books: AcquirerBooks, redemption_id: str, money: Money, *, now_ms: int) -> None:
    """
    Book notes that the issuer refused.
    """
    debit, credit = differences(money.currency), notes_held(money.currency)
    _book(books, _Movement("refused", redemption_id, debit, credit), money, now_ms=now_ms)


def book_order(books: AcquirerBooks, purchase_id: str, money: Money, *, now_ms: int) -> None:
    """
    Book notes that are being bought: the sum is set aside.
    """
    debit, credit = notes_ordered(money.currency), settlement(money.currency)
    _book(books, _Movement("notes_ordered", purchase_id, debit, credit), money, now_ms=now_ms)


def book_bought(books: AcquirerBooks, purchase_id: str, money: Money, *, now_ms: int) -> None:
    """
    Book notes that were bought.
    """
    debit, credit = notes_held(money.currency), notes_ordered(money.currency)
    _book(books, _Movement("notes_bought", purchase_id, debit, credit), money, now_ms=now_ms)


def book_not_bought(books: AcquirerBooks, purchase_id: str, money: Money, *, now_ms: int) -> None:
    """
    Book an order for notes that the issuer declined.
    """
    debit, credit = settlement(money.currency), notes_ordered(money.currency)
    _book(books, _Movement("notes_not_bought", purchase_id, debit, credit), money, now_ms=now_ms)


def book_refund(books: AcquirerBooks, attempt_id: str, money: Money, *, merchant_id: str, now_ms: int) -> None:
    """
    Book notes that were credited to a customer, at the merchant's expense.
    """
    debit, credit = merchant_account(merchant_id, currency=money.currency), notes_held(money.currency)
    _book(books, _Movement("refund", attempt_id, debit, credit), money, now_ms=now_ms)


@dataclass(frozen=True, repr=False)
class _Movement:
    step: str
    request_id: str
    debit: Account
    credit: Account


def _book(books: AcquirerBooks, movement: _Movement, money: Money, *, now_ms: int) -> None:
    """
    Book one movement, once for each step of a request. An amount of zero is no movement.
    """
    if money.amount_minor == 0:
        return
    books.open_account(movement.debit, now_ms=now_ms)
    books.open_account(movement.credit, now_ms=now_ms)
    # One request may move several currencies, each with a transfer of its own.
    transfer_id = derive_id(f"{movement.step}:{money.currency}", movement.request_id)
    transfer = Transfer(transfer_id, movement.debit.id, movement.credit.id, money, movement.step)
    ensure(books.post(transfer, now_ms=now_ms) is None, "the acquirer's own movements can be booked")
