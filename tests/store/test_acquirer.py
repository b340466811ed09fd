"""
The acquirer's tables hold what the flows promise, even where a flow would not.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handsel.errors import IdReused, InvariantBroken, StoreCorrupt
from handsel.ids import new_id, require_id
from handsel.pay.account import Account, Floor
from handsel.pay.capture import CaptureOrder, CaptureStatus
from handsel.pay.carried_enrolment import CarriedEnrolment, EnrolmentStatus
from handsel.pay.decline import DeclineReason
from handsel.pay.dispute import Dispute, DisputeStatus, Finding
from handsel.pay.held_note import HeldNote, NoteState, Purchase, Redemption, RefusedSerial, notes_held
from handsel.pay.ledger import Refusal, Transfer
from handsel.pay.merchant import Merchant, Till
from handsel.pay.money import Money
from handsel.pay.payment import CancelReason, Charge, PaymentIntent, PaymentStatus
from handsel.pay.refund import Refund, RefundAttempt, RefundWay
from handsel.pay.tip import NO_TIPS, TipOffer
from handsel.store.acquirer import AcquirerBooks, AcquirerDatabase
from handsel.store.acquirer_schema import ACQUIRER_SCHEMA
from handsel.store.asking import ASKING_SCHEMA
from handsel.store.database import Database, UnitOfWork
from handsel.store.engine import Schema
from handsel.store.issuer import open_issuer_database
from handsel.store.ledger_schema import LEDGER_SCHEMA

SHOP = Merchant("shop", "Shop")
TILL = Till("shop", "till")
EUR_1 = Money(100, "EUR")


@pytest.fixture
def database(tmp_path: Path, engine: str) -> Iterator[AcquirerDatabase]:
    """
    A database with one merchant and one till.
    """
    made = AcquirerDatabase.open(tmp_path / "books" / "acquirer.sqlite")
    with made.unit_of_work() as books:
        books.merchants.save_merchant(SHOP, key_hash=b"k" * 32)
        books.merchants.save_till(TILL, token_hash=b"t" * 32)
        books.commit()
    yield made
    made.close()


@pytest.fixture
def books(database: AcquirerDatabase) -> Iterator[AcquirerBooks]:
    """
    A unit of work in it, which is not committed.
    """
    with database.unit_of_work() as opened:
        yield opened


def payment(minor: int = 100) -> PaymentIntent:
    return PaymentIntent(new_id(), SHOP.id, TILL.id, Money(minor, "EUR"), "Tea", 1)


def add_paid(books: AcquirerBooks) -> PaymentIntent:
    """
    Add a payment of 1.00 that has succeeded.
    """
    made = payment()
    books.payments.add(made)
    books.payments.save(made.processing())
    paid = made.processing().succeeded(receipt_code=new_id(), now_ms=2)
    books.payments.save(paid)
    return paid


def add_attempt(books: AcquirerBooks) -> RefundAttempt:
    paid = add_paid(books)
    refund = Refund(new_id(), paid.id, SHOP.id, TILL.id, EUR_1, 1)
    books.refunds.add(refund)
    attempt = RefundAttempt(new_id(), refund.id, TILL.id, 1)
    books.refunds.add_attempt(attempt)
    return attempt


def note(number: int) -> HeldNote:
    return HeldNote("key", bytes([number]) * 32, b"s" * 256, EUR_1, "source")


def test_what_is_not_committed_is_not_kept(database: AcquirerDatabase) -> None:
    made = payment()
    with database.unit_of_work() as books:
        books.payments.add(made)
    with database.unit_of_work() as books:
        assert books.payments.find(made.id) is None
        books.payments.add(made)
        books.commit()
    with database.unit_of_work() as books:
        assert books.payments.find(made.id) == made


@pytest.mark.sqlite
def test_the_books_are_their_owners_alone(database: AcquirerDatabase, tmp_path: Path) -> None:
    for path in (tmp_path / "books").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "books").stat().st_mode) == 0o700


def test_the_issuers_database_is_not_opened(tmp_path: Path) -> None:
    open_issuer_database(tmp_path / "issuer" / "issuer.sqlite").close()

    with pytest.raises(StoreCorrupt):
        AcquirerDatabase.open(tmp_path / "issuer" / "issuer.sqlite")


def test_no_column_could_hold_a_person() -> None:
    words = set(re.findall(r"[a-z_]+", str(ACQUIRER_SCHEMA.migrations[0])))

    assert not words & {"palm", "alias", "wallet", "person", "customer", "envelope", "query", "template", "vector"}


def test_a_payment_has_one_live_charge(books: AcquirerBooks) -> None:
    made = payment()
    books.payments.add(made)
    first = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(first)
    assert books.payments.live_charge(made.id) == first

    with pytest.raises(InvariantBroken):
        books.payments.add_charge(Charge(new_id(), made.id, TILL.id, 2, order_id=new_id()))


@pytest.mark.parametrize("end", ["declined", "voided"])
def test_after_a_charge_that_came_to_nothing_there_can_be_another(books: AcquirerBooks, end: str) -> None:
    made = payment()
    books.payments.add(made)
    first = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(first)
    ended = first.declined(DeclineReason.OVER_LIMIT) if end == "declined" else first.voided()
    books.payments.save_charge(ended)

    books.payments.add_charge(Charge(new_id(), made.id, TILL.id, 2, order_id=new_id()))

    assert books.payments.find_charge(first.id) == ended
    assert books.payments.count_declined(made.id) == (1 if end == "declined" else 0)


def test_what_has_ended_is_not_written_again(books: AcquirerBooks) -> None:
    paid = add_paid(books)
    made = payment()
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(charge)
    books.payments.save_charge(charge.voided())

    with pytest.raises(InvariantBroken):
        books.payments.save(replace(paid, receipt_code=new_id()))
    with pytest.raises(InvariantBroken):
        books.payments.save_charge(charge.approved((b"s",)))


def test_only_charges_of_which_nothing_was_heard_are_unresolved(books: AcquirerBooks) -> None:
    charges = []
    for submitted_ms in (30, 10, 20):
        made = payment()
        books.payments.add(made)
        charges.append(Charge(new_id(), made.id, TILL.id, submitted_ms, order_id=new_id()))
        books.payments.add_charge(charges[-1])
    books.payments.save_charge(charges[2].approved((b"s",)))

    assert books.payments.unresolved_charges(until_ms=29, now_ms=99, limit=9) == (charges[1].id,)
    assert books.payments.unresolved_charges(until_ms=30, now_ms=99, limit=9) == (charges[0].id, charges[1].id)
    assert books.payments.unresolved_charges(until_ms=30, now_ms=99, limit=1) == (charges[0].id,)
    # Set back, the clock shows less than what was written.
    assert books.payments.unresolved_charges(until_ms=0, now_ms=30, limit=9) == ()
    assert books.payments.unresolved_charges(until_ms=0, now_ms=29, limit=9) == (charges[0].id,)


def test_no_more_is_promised_back_than_was_paid(books: AcquirerBooks) -> None:
    paid = add_paid(books)
    refund = Refund(new_id(), paid.id, SHOP.id, TILL.id, Money(60, "EUR"), 1)
    books.refunds.add(refund)

    books.refunds.add(replace(refund, id=new_id(), amount=Money(40, "EUR")))

    with pytest.raises(InvariantBroken):
        books.refunds.add(replace(refund, id=new_id(), amount=Money(1, "EUR")))


def test_what_a_canceled_refund_promised_is_free_again(books: AcquirerBooks) -> None:
    paid = add_paid(books)
    refund = Refund(new_id(), paid.id, SHOP.id, TILL.id, EUR_1, 1)
    books.refunds.add(refund)
    books.refunds.save(refund.canceled())

    books.refunds.add(replace(refund, id=new_id()))

    assert len(books.refunds.of_payment(paid.id)) == 2


def test_a_refund_has_one_live_attempt(books: AcquirerBooks) -> None:
    attempt = add_attempt(books)

    with pytest.raises(InvariantBroken):
        books.refunds.add_attempt(replace(attempt, id=new_id()))


def test_an_attempt_ends_once(books: AcquirerBooks) -> None:
    attempt = add_attempt(books)
    books.refunds.save_attempt(attempt.voided())

    assert books.refunds.find_attempt(attempt.id) == attempt.voided()
    assert books.refunds.unresolved_attempts(until_ms=9, now_ms=99, limit=9) == ()
    with pytest.raises(InvariantBroken):
        books.refunds.save_attempt(attempt.asked())


def test_a_serial_is_taken_once_whoever_brings_it(books: AcquirerBooks) -> None:
    books.notes.add([note(1)], attempt_id=None)

    with pytest.raises(IdReused):
        books.notes.add([note(2), replace(note(1), source_id="another")], attempt_id=None)


def test_notes_that_are_not_booked_are_not_kept(database: AcquirerDatabase) -> None:
    with database.unit_of_work() as books:
        books.notes.add([note(1)], attempt_id=None)
        with pytest.raises(InvariantBroken):
            books.commit()
    with database.unit_of_work() as books:
        assert books.notes.count(NoteState.HELD) == 0


def test_notes_in_hand_are_worth_what_is_booked(database: AcquirerDatabase) -> None:
    held, shop = notes_held("EUR"), Account("merchant:shop:EUR", "EUR", Floor.ZERO)
    with database.unit_of_work() as books:
        for account in (held, shop):
            books.open_account(account, now_ms=1)
        books.post(Transfer(new_id(), held.id, shop.id, EUR_1, "payment"), now_ms=1)
        books.notes.add([note(1)], attempt_id=None)
        books.commit()
    with database.unit_of_work() as books:
        redemption = Redemption(new_id())
        books.notes.add_redemption(redemption, serials=[note(1).serial])
        books.notes.end_redemption(redemption.id, redeemed=frozenset({note(1).serial}), refused=())
        with pytest.raises(InvariantBroken):
            books.commit()


def test_notes_are_never_deleted(books: AcquirerBooks) -> None:
    books.notes.add([note(1)], attempt_id=None)

    with pytest.raises(InvariantBroken):
        books._uow.execute("DELETE FROM notes")


def test_a_note_is_in_one_redemption_in_its_place(books: AcquirerBooks) -> None:
    books.notes.add([note(number) for number in (1, 2, 3)], attempt_id=None)
    redemption = Redemption(new_id())
    books.notes.add_redemption(redemption, serials=[note(3).serial, note(1).serial])

    assert books.notes.notes_of(redemption.id) == (note(3), note(1))
    assert books.notes.held_serials(limit=9) == (note(2).serial,)
    assert books.notes.open_redemption(attempt_id=None) == redemption
    with pytest.raises(InvariantBroken):
        books.notes.add_redemption(Redemption(new_id()), serials=[note(1).serial])


def test_a_redemption_ends_once_and_names_what_was_refused(books: AcquirerBooks) -> None:
    books.notes.add([note(1), note(2)], attempt_id=None)
    redemption = Redemption(new_id())
    books.notes.add_redemption(redemption, serials=[note(1).serial, note(2).serial])
    refused = [RefusedSerial(note(2).serial, DeclineReason.NOTE_INVALID)]

    ended = books.notes.end_redemption(redemption.id, redeemed=frozenset({note(1).serial}), refused=refused)

    assert ended == (note(1), note(2))
    assert (books.notes.count(NoteState.REDEEMED), books.notes.count(NoteState.REFUSED)) == (1, 1)
    assert books.notes.find_redemption(redemption.id) == replace(redemption, is_done=True)
    with pytest.raises(InvariantBroken):
        books.notes.end_redemption(redemption.id, redeemed=frozenset(), refused=())


def test_the_redemption_of_an_attempt_under_way_is_not_taken_for_another(books: AcquirerBooks) -> None:
    attempt = add_attempt(books)
    books.notes.add([note(1)], attempt_id=attempt.id)
    redemption = Redemption(new_id(), attempt.id)
    books.notes.add_redemption(redemption, serials=[note(1).serial])

    assert books.notes.open_redemption(attempt_id=attempt.id) == redemption
    assert books.notes.open_redemption(attempt_id=None) is None
    books.refunds.save_attempt(attempt.voided())
    assert books.notes.open_redemption(attempt_id=None) == redemption


def test_reserved_notes_are_released_or_forgotten(books: AcquirerBooks) -> None:
    attempt = add_attempt(books)
    books.notes.add([note(1)], attempt_id=attempt.id)
    assert books.notes.reserved_for(attempt.id) == (note(1),)
    assert books.notes.held_serials(limit=9) == ()

    books.notes.release(attempt.id)
    assert (books.notes.reserved_for(attempt.id), books.notes.held_serials(limit=9)) == ((), (note(1).serial,))

    books.notes.add([note(2), note(3)], attempt_id=attempt.id)
    redemption = Redemption(new_id(), attempt.id)
    books.notes.add_redemption(redemption, serials=[note(3).serial])
    books.refunds.save_attempt(attempt.asked())
    books.refunds.save_attempt(attempt.asked().credited())

    books.notes.forget(attempt.id)

    assert books.notes.serials_of("source") == {note(1).serial}
    assert books.notes.find_redemption(redemption.id) is None
    assert books.notes.notes_of(redemption.id) == ()


@pytest.mark.parametrize("end", ["asked", "declined", "voided"])
def test_notes_of_a_refund_that_is_not_credited_are_not_forgotten(books: AcquirerBooks, end: str) -> None:
    attempt = add_attempt(books)
    books.notes.add([note(1)], attempt_id=attempt.id)
    asked = attempt.asked()
    ends = {"asked": asked, "declined": asked.declined(DeclineReason.NOT_RECOGNISED), "voided": asked.voided()}
    books.refunds.save_attempt(ends[end])

    with pytest.raises(InvariantBroken):
        books.notes.forget(attempt.id)


def test_a_note_of_a_credited_refund_that_was_redeemed_is_not_forgotten(books: AcquirerBooks) -> None:
    attempt = add_attempt(books)
    books.notes.add([note(1)], attempt_id=attempt.id)
    redemption = Redemption(new_id(), attempt.id)
    books.notes.add_redemption(redemption, serials=[note(1).serial])
    books.notes.end_redemption(redemption.id, redeemed=frozenset({note(1).serial}), refused=())
    books.refunds.save_attempt(attempt.asked())
    books.refunds.save_attempt(attempt.asked().credited())

    with pytest.raises(InvariantBroken):
        books.notes.forget(attempt.id)


def test_forgotten_notes_are_still_missed_where_they_are_booked(database: AcquirerDatabase) -> None:
    held, shop = notes_held("EUR"), Account("merchant:shop:EUR", "EUR", Floor.ZERO)
    with database.unit_of_work() as books:
        attempt = add_attempt(books)
        for account in (held, shop):
            books.open_account(account, now_ms=1)
        books.post(Transfer(new_id(), held.id, shop.id, EUR_1, "payment"), now_ms=1)
        books.notes.add([note(1)], attempt_id=attempt.id)
        books.commit()
    with database.unit_of_work() as books:
        books.refunds.save_attempt(attempt.asked())
        books.refunds.save_attempt(attempt.asked().credited())
        books.notes.forget(attempt.id)
        with pytest.raises(InvariantBroken, match="notes in hand"):
            books.commit()


@pytest.mark.sqlite
def test_what_is_forgotten_is_overwritten(database: AcquirerDatabase, tmp_path: Path) -> None:
    """
    A serial is nowhere in the file once it is forgotten, nor in its log when that is truncated.
    """
    serial, held, shop = b"forget me entirely, all 32 bytes", notes_held("EUR"), Account("m", "EUR", Floor.ZERO)
    with database.unit_of_work() as books:
        attempt = add_attempt(books)
        for account in (held, shop):
            books.open_account(account, now_ms=1)
        books.post(Transfer(new_id(), held.id, shop.id, EUR_1, "payment"), now_ms=1)
        books.notes.add([replace(note(1), serial=serial)], attempt_id=attempt.id)
        books.commit()
    database.database.truncate_log()
    files = [tmp_path / "books" / f"acquirer.sqlite{end}" for end in ("", "-wal")]
    assert any(serial in path.read_bytes() for path in files)
    with database.unit_of_work() as books:
        books.refunds.save_attempt(attempt.asked())
        books.refunds.save_attempt(attempt.asked().credited())
        books.post(Transfer(new_id(), shop.id, held.id, EUR_1, "refund"), now_ms=1)
        books.notes.forget(attempt.id)
        books.commit()

    database.database.truncate_log()

    assert not any(serial in path.read_bytes() for path in files)


def test_a_purchase_is_kept_until_it_ends(books: AcquirerBooks) -> None:
    purchase = Purchase(new_id(), add_attempt(books).id, EUR_1, b"secrets", 5)
    books.notes.add_purchase(purchase)
    assert books.notes.find_purchase(purchase.id) == purchase
    assert books.notes.unresolved_purchases(until_ms=4, now_ms=99, limit=9) == ()
    assert books.notes.unresolved_purchases(until_ms=5, now_ms=99, limit=9) == (purchase.id,)

    books.notes.save_purchase(purchase.signed())

    assert books.notes.find_purchase(purchase.id) == purchase.signed()
    with pytest.raises(InvariantBroken):
        books.notes.save_purchase(purchase.declined())


def test_an_enrolment_is_remembered_with_its_end(books: AcquirerBooks) -> None:
    enrolment = CarriedEnrolment(new_id(), TILL.id, 1)
    books.enrolments.save(enrolment)
    ended = replace(enrolment, status=EnrolmentStatus.DECLINED, reason=DeclineReason.WRONG_CODE)

    books.enrolments.save(ended)

    assert books.enrolments.find(enrolment.id) == ended
    assert books.enrolments.find(new_id()) is None


def test_the_ledger_says_why_it_refuses(books: AcquirerBooks) -> None:
    rich, poor = Account("notes_held:EUR", "EUR", Floor.NONE), Account("merchant:shop:EUR", "EUR", Floor.ZERO)
    for account in (rich, poor):
        books.open_account(account, now_ms=1)

    assert books.post(Transfer(new_id(), rich.id, poor.id, EUR_1, "payment"), now_ms=1) is None
    assert books.post(Transfer(new_id(), poor.id, rich.id, Money(101, "EUR"), "refund"), now_ms=1) is (
        Refusal.INSUFFICIENT_FUNDS
    )
    assert (books.balance_minor(poor.id), books.balance_minor("merchant:nobody:EUR")) == (100, 0)
    books.audit()


def test_everything_about_an_unknown_id_is_nothing(books: AcquirerBooks) -> None:
    unknown = new_id()

    assert books.payments.find(unknown) is None
    assert books.payments.find_charge(unknown) is None
    assert books.payments.by_receipt(unknown) is None
    assert books.refunds.find(unknown) is None
    assert books.refunds.find_attempt(unknown) is None
    assert books.notes.find_redemption(unknown) is None
    assert books.notes.find_purchase(unknown) is None
    assert books.notes.serials_of(unknown) == frozenset()
    assert books.merchants.merchant_by_key(b"x" * 32) is None
    assert books.merchants.till_by_token(b"x" * 32) is None


def test_money_among_the_notes_without_a_note_is_not_committed(database: AcquirerDatabase) -> None:
    held, shop = notes_held("EUR"), Account("merchant:shop:EUR", "EUR", Floor.ZERO)
    with pytest.raises(InvariantBroken, match="notes in hand"), database.unit_of_work() as books:
        for account in (held, shop):
            books.open_account(account, now_ms=1)
        books.post(Transfer(new_id(), held.id, shop.id, EUR_1, "payment"), now_ms=1)
        books.commit()


def test_a_payment_that_waits_for_its_capture_is_kept_as_it_is(books: AcquirerBooks) -> None:
    made = PaymentIntent(new_id(), SHOP.id, TILL.id, EUR_1, "Tea", 1, hold_s=3_600)
    books.payments.add(made)
    steps = [made, made.processing(), made.processing().reserved(until_ms=9)]
    steps += [steps[-1].capturing(amount_minor=40)]
    for step in steps[1:]:
        books.payments.save(step)
        assert books.payments.find(made.id) == step
        waits = step.status is PaymentStatus.REQUIRES_CAPTURE
        assert books.payments.reserved_until(9, limit=9) == ((made.id,) if waits else ())
        assert books.payments.reserved_until(8, limit=9) == ()

    books.payments.save(steps[-1].succeeded(receipt_code="r", now_ms=3))

    found = books.payments.find(made.id)
    assert found is not None
    assert (found.status, found.received) == (PaymentStatus.SUCCEEDED, Money(40, "EUR"))


def test_why_a_payment_was_canceled_is_kept(books: AcquirerBooks) -> None:
    made = PaymentIntent(new_id(), SHOP.id, TILL.id, EUR_1, "Tea", 1, hold_s=3_600)
    books.payments.add(made)
    canceled = made.processing().reserved(until_ms=9).given_back(CancelReason.EXPIRED)

    books.payments.save(canceled)

    assert books.payments.find(made.id) == canceled


def test_what_only_reserves_is_approved_without_signatures(books: AcquirerBooks) -> None:
    made = payment()
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(charge)

    books.payments.save_charge(charge.approved(()))
    assert books.payments.find_charge(charge.id) == charge.approved(()) == books.payments.live_charge(made.id)
    books.payments.save_charge(charge.approved(()).given_back())
    assert books.payments.live_charge(made.id) is None


def test_a_capture_ends_once_and_its_secrets_go(books: AcquirerBooks) -> None:
    made = payment()
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(charge)
    ordered = CaptureOrder(charge.id, b"secrets", 5)
    books.captures.add(ordered)
    assert books.captures.unresolved(until_ms=4, now_ms=99, limit=9) == ()
    assert books.captures.unresolved(until_ms=5, now_ms=99, limit=9) == (charge.id,)
    # Set back, the clock shows less than what was written.
    assert books.captures.unresolved(until_ms=0, now_ms=5, limit=9) == ()
    assert books.captures.unresolved(until_ms=0, now_ms=4, limit=9) == (charge.id,)
    books.captures.save(ordered.renewed(b"others"))
    assert books.captures.find(charge.id) == ordered.renewed(b"others")

    books.captures.save(ordered.signed())

    assert books.captures.find(charge.id) == CaptureOrder(charge.id, b"", 5, CaptureStatus.SIGNED)
    assert books.captures.unresolved(until_ms=5, now_ms=99, limit=9) == ()
    with pytest.raises(InvariantBroken):
        books.captures.save(ordered.declined())


@pytest.mark.parametrize("offer", [NO_TIPS, TipOffer(percents=(5, 10)), TipOffer(amounts_minor=(100,))])
def test_tips_are_kept_with_payment_and_charge(books: AcquirerBooks, offer: TipOffer) -> None:
    made = PaymentIntent(new_id(), SHOP.id, TILL.id, EUR_1, "Tea", 1, tips=offer)
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, tip_minor=7, order_id=new_id())
    books.payments.add_charge(charge)
    paid = made.processing().tipped(7).succeeded(receipt_code="r", now_ms=3)

    books.payments.save(paid)

    assert books.payments.find(made.id) == paid
    assert books.payments.find_charge(charge.id) == charge


@pytest.mark.parametrize(("tip", "captured", "paid"), [(0, None, 100), (7, None, 107), (7, 60, 60)])
def test_no_more_is_promised_back_than_was_received(
    books: AcquirerBooks, tip: int, captured: int | None, paid: int
) -> None:
    made = PaymentIntent(new_id(), SHOP.id, TILL.id, EUR_1, "Tea", 1, hold_s=0 if captured is None else 3_600)
    books.payments.add(made)
    under_way = made.processing().tipped(tip)
    if captured is not None:
        under_way = under_way.reserved(until_ms=9, tip_minor=tip).capturing(amount_minor=captured, tip_minor=tip)
    books.payments.save(under_way.succeeded(receipt_code="r", now_ms=3))

    books.refunds.add(Refund(new_id(), made.id, SHOP.id, TILL.id, Money(paid, "EUR"), 1))

    with pytest.raises(InvariantBroken):
        books.refunds.add(Refund(new_id(), made.id, SHOP.id, TILL.id, Money(1, "EUR"), 1))


def test_the_books_of_the_version_before_are_brought_to_the_present_tables(tmp_path: Path) -> None:
    """
    What was asked for, paid, and promised back is still so.
    """
    path, paid_id = tmp_path / "books" / "acquirer.sqlite", new_id()
    earlier = Schema(ACQUIRER_SCHEMA.name, ACQUIRER_SCHEMA.migrations[:2])
    database = Database.open(path, schemas=(LEDGER_SCHEMA, earlier, ASKING_SCHEMA))
    with database.unit_of_work() as uow:
        uow.execute("INSERT INTO merchants (id, name) VALUES (?, ?)", SHOP.id, SHOP.name)
        uow.execute("INSERT INTO tills (id, merchant_id, name) VALUES (?, ?, ?)", TILL.id, SHOP.id, TILL.name)
        uow.execute(
            "INSERT INTO payments (id, merchant_id, till_id, amount_minor, currency, description, created_ms, status,"
            " receipt_code, paid_ms) VALUES (?, ?, ?, 100, 'EUR', 'Tea', 1, 'succeeded', 'r', 2)",
            *(paid_id, SHOP.id, TILL.id),
        )
        uow.commit()
    database.close()

    made = AcquirerDatabase.open(path)
    with made.unit_of_work() as books:
        found = books.payments.find(paid_id)
        assert found is not None
        assert (found.received, found.tip, found.tips, found.hold_s) == (EUR_1, Money(0, "EUR"), NO_TIPS, 0)
        books.refunds.add(Refund(new_id(), paid_id, SHOP.id, TILL.id, EUR_1, 3))
        with pytest.raises(InvariantBroken):
            books.refunds.add(Refund(new_id(), paid_id, SHOP.id, TILL.id, Money(1, "EUR"), 3))
    made.close()


def test_what_was_credited_and_enrolled_before_is_forgotten_too(tmp_path: Path, engine: str) -> None:
    """
    Of a refund that was credited no serial stays, of another each; an enrolment has an id that nobody else knows.
    """
    path, enrolled_id, credited, voided = tmp_path / "books" / "acquirer.sqlite", new_id(), new_id(), new_id()
    earlier = Schema(ACQUIRER_SCHEMA.name, ACQUIRER_SCHEMA.migrations[:9])
    database = Database.open(path, schemas=(LEDGER_SCHEMA, earlier, ASKING_SCHEMA))
    with database.unit_of_work() as uow:
        uow.execute("INSERT INTO merchants (id, name) VALUES (?, ?)", SHOP.id, SHOP.name)
        uow.execute("INSERT INTO tills (id, merchant_id, name) VALUES (?, ?, ?)", TILL.id, SHOP.id, TILL.name)
        uow.execute("INSERT INTO enrolments VALUES (?, ?, 1, 'enrolled', NULL)", enrolled_id, TILL.id)
        _add_ended_refund(uow, credited, number=1, status="credited", note_state="spent")
        _add_ended_refund(uow, voided, number=2, status="voided", note_state="redeemed")
        uow.commit()
    database.close()

    made = AcquirerDatabase.open(path)

    with made.unit_of_work() as books:
        assert not books.notes.serials_of(credited)
        assert books.notes.serials_of(voided) == {note(2).serial}
        assert books.notes.find_redemption(credited) is None
        assert books.notes.find_redemption(voided) is not None
        ((fresh_id, status),) = books._uow.rows("SELECT id, status FROM enrolments")
        assert (require_id(fresh_id) != enrolled_id, status) == (True, "enrolled")
        with pytest.raises(InvariantBroken):
            books._uow.execute("DELETE FROM notes")
    made.close()


def _add_ended_refund(uow: UnitOfWork, attempt_id: str, *, number: int, status: str, note_state: str) -> None:
    """
    Add a refund as versions before kept it, with a redemption of the attempt's id and a note whose source has that id.
    """
    payment_id, refund_id = new_id(), new_id()
    of_shop = (SHOP.id, TILL.id)
    uow.execute(
        "INSERT INTO payments (id, merchant_id, till_id, amount_minor, currency, description, created_ms, status,"
        " receipt_code, paid_ms) VALUES (?, ?, ?, 100, 'EUR', 'Tea', 1, 'succeeded', ?, 2)",
        *(payment_id, *of_shop, payment_id),
    )
    uow.execute(
        "INSERT INTO refunds (id, payment_id, merchant_id, till_id, amount_minor, currency, created_ms, status)"
        " VALUES (?, ?, ?, ?, 100, 'EUR', 3, 'processing')",
        *(refund_id, payment_id, *of_shop),
    )
    uow.execute("INSERT INTO refund_attempts VALUES (?, ?, ?, 4, ?, NULL)", attempt_id, refund_id, TILL.id, status)
    uow.execute("INSERT INTO redemptions VALUES (?, ?, 1)", attempt_id, attempt_id)
    uow.execute(
        "INSERT INTO notes (serial, key_id, signature, worth_minor, currency, source_id, state, attempt_id,"
        " redemption_id, place) VALUES (?, 'key', ?, 100, 'EUR', ?, ?, ?, ?, 0)",
        *(note(number).serial, b"s", attempt_id, note_state, attempt_id, attempt_id),
    )


def test_a_payment_has_one_open_case_and_those_that_are_open_come_first(books: AcquirerBooks) -> None:
    first, second = add_paid(books), add_paid(books)
    cases = [Dispute(new_id(), paid.id, SHOP.id, Finding.PAID_TO_MERCHANT, 3) for paid in (first, second)]
    for case in cases:
        books.disputes.add(case)
    ended = cases[1].ended(DisputeStatus.REFUSED, now_ms=4)
    books.disputes.save(ended)

    assert books.disputes.newest(SHOP.id, limit=10) == (cases[0], ended)
    assert books.disputes.open_of(first.id) == cases[0]
    assert books.disputes.open_of(second.id) is None
    assert books.disputes.of_payment(second.id, limit=10) == (ended,)
    with pytest.raises(InvariantBroken):
        books.disputes.save(ended)
    with pytest.raises(InvariantBroken):
        books.disputes.add(replace(cases[0], id=new_id()))


def test_a_reply_stays_until_it_is_dropped_and_a_refund_says_its_way(books: AcquirerBooks) -> None:
    made = payment()
    books.payments.add(made)
    charge = Charge(new_id(), made.id, TILL.id, 1, order_id=new_id())
    books.payments.add_charge(charge)
    for state in (charge.approved((b"s",), b"reply"), charge.approved((b"s",), b"reply").paid()):
        books.payments.save_charge(state)
        assert books.payments.find_charge(charge.id) == state
    books.payments.drop_reply(charge.id)
    dropped = books.payments.find_charge(charge.id)
    assert dropped is not None
    assert dropped.reply is None

    refund = Refund(new_id(), add_paid(books).id, SHOP.id, TILL.id, EUR_1, 1, way=RefundWay.RECEIPT)
    books.refunds.add(refund)
    assert books.refunds.find(refund.id) == refund
    assert books.refunds.declined_for(refund.id) is None
