"""
Say which books the acquirer keeps, and what can be looked up and written in them.

Only shapes: `store` keeps them. All that is done in one unit of work is kept, or none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from handsel.pay.account import Account
from handsel.pay.carried_enrolment import CarriedEnrolment
from handsel.pay.held_note import HeldNote, Purchase, Redemption, RefusedSerial
from handsel.pay.ledger import Refusal, Transfer
from handsel.pay.merchant import Merchant, Till
from handsel.pay.payment import Charge, PaymentIntent
from handsel.pay.refund import Refund, RefundAttempt


class MerchantBooks(Protocol):
    """
    Find merchants and tills.
    """

    def save_merchant(self, merchant: Merchant, *, key_hash: bytes) -> None:
        """
        Add a merchant, or replace its name and key.
        """

    def save_till(self, till: Till, *, token_hash: bytes) -> None:
        """
        Add a till, or replace its token.
        """

    def merchant(self, merchant_id: str) -> Merchant | None:
        """
        Return the merchant of that id.
        """

    def merchant_by_key(self, key_hash: bytes) -> Merchant | None:
        """
        Return the merchant that has the key.
        """

    def till_by_token(self, token_hash: bytes) -> Till | None:
        """
        Return the till that has the token.
        """

    def tills_of(self, merchant_id: str) -> tuple[Till, ...]:
        """
        Return the tills of a merchant, the first one first.
        """


class PaymentBooks(Protocol):
    """
    Keep payments and the charges that try to pay them.
    """

    def add(self, payment: PaymentIntent) -> None:
        """
        Keep a new payment.
        """

    def save(self, payment: PaymentIntent) -> None:
        """
        Keep what became of a payment.
        """

    def find(self, payment_id: str) -> PaymentIntent | None:
        """
        Return the payment of that id.
        """

    def by_receipt(self, receipt_code: str) -> PaymentIntent | None:
        """
        Return the payment whose receipt has that code.
        """

    def newest(self, merchant_id: str, *, limit: int, starting_after: str | None) -> tuple[PaymentIntent, ...]:
        """
        Return a merchant's payments, newest first, from the one after `starting_after`.
        """

    def newest_open(self, till_id: str, *, since_ms: int) -> PaymentIntent | None:
        """
        Return the newest payment that waits for a palm at a till, made at `since_ms` or later.
        """

    def add_charge(self, charge: Charge) -> None:
        """
        Keep a new charge.
        """

    def save_charge(self, charge: Charge) -> None:
        """
        Keep what became of a charge.
        """

    def find_charge(self, charge_id: str) -> Charge | None:
        """
        Return the charge of that id.
        """

    def live_charge(self, payment_id: str) -> Charge | None:
        """
        Return the one charge of a payment that is submitted, approved or paid.
        """

    def count_declined(self, payment_id: str) -> int:
        """
        Return how many charges of a payment were declined.
        """

    def unresolved_charges(self, *, until_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of charges submitted at `until_ms` or before, of which nothing has been heard since.
        """


class RefundBooks(Protocol):
    """
    Keep refunds and the attempts to carry them out.
    """

    def add(self, refund: Refund) -> None:
        """
        Keep a new refund.
        """

    def save(self, refund: Refund) -> None:
        """
        Keep what became of a refund.
        """

    def find(self, refund_id: str) -> Refund | None:
        """
        Return the refund of that id.
        """

    def of_payment(self, payment_id: str) -> tuple[Refund, ...]:
        """
        Return all refunds of a payment, the oldest first.
        """

    def newest_open(self, till_id: str, *, since_ms: int) -> Refund | None:
        """
        Return the newest refund that waits for a palm at a till, made at `since_ms` or later.
        """

    def add_attempt(self, attempt: RefundAttempt) -> None:
        """
        Keep a new attempt.
        """

    def save_attempt(self, attempt: RefundAttempt) -> None:
        """
        Keep what became of an attempt.
        """

    def find_attempt(self, attempt_id: str) -> RefundAttempt | None:
        """
        Return the attempt of that id.
        """

    def unresolved_attempts(self, *, until_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of attempts submitted at `until_ms` or before that have not ended.
        """


class NoteBooks(Protocol):
    """
    Keep notes, and the redemptions and purchases in which they go and come.
    """

    def add(self, notes: Sequence[HeldNote], *, attempt_id: str | None) -> None:
        """
        Keep new notes: held or, with an `attempt_id`, reserved for it. Raises `IdReused` for a serial that is known.
        """

    def serials_of(self, source_id: str) -> frozenset[bytes]:
        """
        Return the serials that came with a charge or a purchase.
        """

    def held_serials(self, *, limit: int) -> tuple[bytes, ...]:
        """
        Return the serials of notes that nothing is planned with.
        """

    def reserved_for(self, attempt_id: str) -> tuple[HeldNote, ...]:
        """
        Return the notes that are reserved for a refund attempt.
        """

    def release(self, attempt_id: str) -> None:
        """
        Turn the notes that are reserved for an attempt into held ones.
        """

    def spend(self, attempt_id: str) -> None:
        """
        Mark the notes of an attempt as credited to the customer, also where they are being redeemed.
        """

    def add_redemption(self, redemption: Redemption, *, serials: Sequence[bytes]) -> None:
        """
        Keep a redemption and its notes, in this order.
        """

    def find_redemption(self, redemption_id: str) -> Redemption | None:
        """
        Return the redemption of that id.
        """

    def open_redemption(self, *, attempt_id: str | None) -> Redemption | None:
        """
        Return a redemption whose answer is not known: that of an attempt or, without one, of no attempt under way.
        """

    def notes_of(self, redemption_id: str) -> tuple[HeldNote, ...]:
        """
        Return the notes of a redemption in the order in which they are sent.
        """

    def end_redemption(
        self, redemption_id: str, *, redeemed: frozenset[bytes], refused: Sequence[RefusedSerial]
    ) -> tuple[HeldNote, ...]:
        """
        End a redemption, and return those of its notes that this has made redeemed or refused.
        """

    def add_purchase(self, purchase: Purchase) -> None:
        """
        Keep a new purchase.
        """

    def save_purchase(self, purchase: Purchase) -> None:
        """
        Keep what became of a purchase.
        """

    def find_purchase(self, purchase_id: str) -> Purchase | None:
        """
        Return the purchase of that id.
        """

    def unresolved_purchases(self, *, until_ms: int, limit: int) -> tuple[str, ...]:
        """
        Return the ids of purchases ordered at `until_ms` or before, of which nothing has been heard since.
        """


class EnrolmentBooks(Protocol):
    """
    Remember enrolments.
    """

    def save(self, enrolment: CarriedEnrolment) -> None:
        """
        Keep an enrolment, or what became of it.
        """

    def find(self, enrolment_id: str) -> CarriedEnrolment | None:
        """
        Return the enrolment of that id.
        """


class AcquirerBooks(Protocol):
    """
    Keep the acquirer's books within one unit of work.
    """

    @property
    def merchants(self) -> MerchantBooks:
        """
        Return merchants and tills.
        """

    @property
    def payments(self) -> PaymentBooks:
        """
        Return payments and charges.
        """

    @property
    def refunds(self) -> RefundBooks:
        """
        Return refunds and attempts.
        """

    @property
    def notes(self) -> NoteBooks:
        """
        Return notes, redemptions and purchases.
        """

    @property
    def enrolments(self) -> EnrolmentBooks:
        """
        Return enrolments.
        """

    def open_account(self, account: Account, *, now_ms: int) -> None:
        """
        Open an account of the ledger, unless it is open.
        """

    def post(self, transfer: Transfer, *, now_ms: int) -> Refusal | None:
        """
        Book a transfer, and return why not where it is refused.
        """

    def balance_minor(self, account_id: str) -> int:
        """
        Return the balance of an account, 0 where there is none of that name.
        """

    def commit(self) -> None:
        """
        Keep all that was done since the unit of work began.
        """


class AcquirerUnitOfWork(Protocol):
    """
    Open the books for one unit of work. What is not committed is undone.
    """

    def __enter__(self) -> AcquirerBooks:
        """
        Begin.
        """

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Undo what was not committed.
        """


class AcquirerStore(Protocol):
    """
    Keep the acquirer's books, on disk.
    """

    def unit_of_work(self) -> AcquirerUnitOfWork:
        """
        Return a unit of work. Units do not nest.
        """
