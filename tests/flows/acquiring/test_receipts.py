"""
Promise that the receipt of a payment is stated by the acquirer, sealed by the till, and opened by the wallet alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.errors import BodyInvalid, NotFound, PartyUnavailable
from handsel.flows.acquiring.carry_charge import charge_state
from handsel.flows.acquiring.carry_receipt import SealedForWallet, carry_receipt
from handsel.flows.issuing.deposit_receipt_keys import deposit_receipt_keys
from handsel.flows.issuing.name_shop import name_shop
from handsel.flows.issuing.show_receipts import ReceiptLine, show_receipts
from handsel.ids import new_id
from handsel.naming import naming_key_of
from handsel.pay.merchant import Till
from handsel.pay.payment import Paid, PaymentIntent
from handsel.receipt import SEALED_BYTES, PayersReceipt, SignedStatement, open_receipt, read_statement
from handsel.return_code import return_digest_of
from handsel.till.acquirer import PapersAnswer, ReceiptBrought
from handsel.till.action import ChargeAction
from handsel.till.journal import ChargeEntry
from handsel.till.seal_receipt import reply_key_of, seal_for_wallet
from tests.flows.acquiring.near_issuer import Line
from tests.flows.acquiring.street import SHOP, TILL, Street

SECRET = b"r" * 32
WALLET_KEY = X25519PrivateKey.from_private_bytes(b"w" * 32)

T = TypeVar("T")


@dataclass(frozen=True)
class PaidAtTill:
    """
    Hold what a till knows after a payment.
    """

    payment: PaymentIntent
    charge_id: str
    entry: ChargeEntry
    paid: Paid


def deposit(street: Street) -> None:
    key = WALLET_KEY.public_key().public_bytes_raw()
    deposit_receipt_keys(street.issuer.issuer, street.wallets["ann"], (key,), first=0)


def pay(street: Street, minor: int = 450) -> PaidAtTill:
    payment = street.ask(minor)
    shown = street.show("ann", payment, reply_key=reply_key_of(SECRET))
    paid = street.hand_over(shown, street.notes(shown, street.submit(shown)))
    action = ChargeAction(payment.id, minor, "EUR", SHOP.name, payment.description)
    entry = ChargeEntry(shown.sent.charge_id, action, street.now_ms, shown.kept, SECRET, shown.return_code)
    return PaidAtTill(street.payment(payment.id), shown.sent.charge_id, entry, paid)


def seal(street: Street, at_till: PaidAtTill) -> ReceiptBrought:
    assert at_till.paid.papers is not None
    papers = PapersAnswer(at_till.paid.papers.reply, at_till.paid.papers.signed, at_till.paid.papers.naming_secret)
    issuer = street.issuer.issuer.keys.public()
    return seal_for_wallet(
        at_till.entry, papers, issuer=issuer, random_bytes=street.acquirer.random_bytes, now_ms=street.now_ms
    ).brought


def bring(street: Street, at_till: PaidAtTill) -> None:
    brought = seal(street, at_till)
    receipt = SealedForWallet(brought.receipt_id, brought.sealed, brought.line)
    carry_receipt(street.acquirer, TILL, at_till.charge_id, receipt)


def lines(street: Street) -> tuple[ReceiptLine, ...]:
    return show_receipts(street.issuer.issuer, street.wallets["ann"])


def opened(street: Street) -> PayersReceipt:
    """
    Return the newest receipt as ann's browser opens it.
    """
    receipt = lines(street)[0].receipt
    assert receipt is not None
    return open_receipt(receipt.sealed, key=WALLET_KEY)


def test_a_wallet_opens_what_was_paid_where_and_with_which_notes(street: Street) -> None:
    deposit(street)
    at_till = pay(street)
    bring(street, at_till)

    receipt = opened(street)
    statement = read_statement(receipt.signed, signer=street.acquirer.identity.public().sign)

    assert (statement.shop, statement.description, statement.amount_minor) == (SHOP.name, "Coffee", 450)
    assert (statement.charge_id, statement.paid_ms) == (at_till.charge_id, at_till.payment.paid_ms)
    assert (statement.receipt_code, receipt.return_code) == (at_till.payment.receipt, at_till.entry.return_code)
    assert statement.return_digest == return_digest_of(receipt.return_code, charge_id=at_till.charge_id)
    assert {note.serial for note in statement.notes} == {secret.serial for secret in at_till.entry.secrets}


def test_a_till_that_asks_again_is_told_the_same_until_the_receipt_has_gone(street: Street) -> None:
    deposit(street)
    at_till = pay(street)
    street.restart()
    assert charge_state(street.acquirer, TILL, at_till.charge_id) == at_till.paid
    bring(street, at_till)

    told = charge_state(street.acquirer, TILL, at_till.charge_id)

    assert told == replace(at_till.paid, papers=None)
    with street.database.unit_of_work() as books:
        charge = books.payments.find_charge(at_till.charge_id)
    assert charge is not None
    assert charge.reply is None


def test_a_receipt_that_cannot_be_brought_now_can_be_brought_later(street: Street) -> None:
    deposit(street)
    at_till = pay(street)
    brought = seal(street, at_till)
    receipt = SealedForWallet(brought.receipt_id, brought.sealed, brought.line)
    for line in (Line.REFUSED, Line.CUT):
        street.issuer.line["take_receipt"] = line
        with pytest.raises(PartyUnavailable):
            carry_receipt(street.acquirer, TILL, at_till.charge_id, receipt)
    street.issuer.line.clear()

    for _ in range(2):
        carry_receipt(street.acquirer, TILL, at_till.charge_id, receipt)

    assert read_statement(opened(street).signed).charge_id == at_till.charge_id


def test_only_the_till_that_was_paid_brings_a_receipt(street: Street) -> None:
    at_till = pay(street)
    brought = seal(street, at_till)
    receipt = SealedForWallet(brought.receipt_id, brought.sealed, brought.line)
    unpaid = street.show("ann", street.ask(), reply_key=reply_key_of(SECRET))
    street.submit(unpaid)

    for till, charge_id in (
        (Till(SHOP.id, "till-2"), at_till.charge_id),
        (TILL, new_id()),
        (TILL, unpaid.sent.charge_id),
    ):
        with pytest.raises(NotFound):
            carry_receipt(street.acquirer, till, charge_id, receipt)
    for ill_formed in ("x", brought.receipt_id):
        with pytest.raises(BodyInvalid):
            SealedForWallet(ill_formed, b"s" * (SEALED_BYTES[0] - (ill_formed != "x")), brought.line)
    assert street.issuer.calls["take_receipt"] == 0


def test_where_the_payer_wants_it_the_shop_is_named_and_otherwise_the_acquirer_sees_no_difference(
    street: Street,
) -> None:
    """
    What the acquirer carries has the same lengths; it has its shops' naming secrets, and sees no tag to check.
    """
    plain = pay(street)
    sent = seal(street, plain)
    bring(street, plain)
    wallet = street.wallets["ann"]
    secret = street.acquirer.naming_secret(SHOP.id)
    name_shop(street.issuer.issuer, wallet, shop=SHOP.name, naming_key=naming_key_of(secret))
    named = pay(street)
    also = seal(street, named)
    bring(street, named)

    assert {line.charge_id: (line.shop, line.description) for line in lines(street)} == {
        plain.entry.order_id: ("", ""),
        named.entry.order_id: (SHOP.name, "Coffee"),
    }
    assert [len(sent.sealed), len(sent.line)] == [len(also.sealed), len(also.line)]
    assert named.paid.papers is not None
    assert plain.paid.papers is not None
    assert len(named.paid.papers.reply) == len(plain.paid.papers.reply)
    assert secret != street.acquirer.naming_secret("bakery")


@pytest.mark.sqlite
def test_a_merchants_naming_secret_and_return_codes_are_in_no_table(street: Street) -> None:
    at_till = pay(street)
    code, secret = at_till.entry.return_code, street.acquirer.naming_secret(SHOP.id)
    bring(street, at_till)
    street.close()

    files = [path for path in street.directory.rglob("*") if path.is_file()]

    assert any(at_till.payment.receipt.encode() in path.read_bytes() for path in files)
    assert [path for path in files if code.encode() in path.read_bytes() or secret in path.read_bytes()] == []


def test_the_statement_travels_as_it_was_signed(street: Street) -> None:
    """
    Also through JSON, as between acquirer, till and wallet.
    """
    at_till = pay(street)
    assert at_till.paid.papers is not None
    signed = at_till.paid.papers.signed

    again = msgspec.json.decode(msgspec.json.encode(signed), type=SignedStatement)

    assert read_statement(again, signer=street.acquirer.identity.public().sign).charge_id == at_till.charge_id
