"""
Promise that what a bank is asked to do is possible, and that the file for it is valid and always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from defusedxml import ElementTree

from handsel.bank.credit_transfer import write_credit_transfer
from handsel.bank.direct_debit import write_direct_debit
from handsel.bank.iban import Iban
from handsel.bank.orders import AMOUNT_MINOR_MAX, DebitOrder, Holder, OwnAccount, Sequence, TransferOrder, block_id
from handsel.bank.pain import sepa_text
from handsel.errors import BodyInvalid, ConfigError, InvariantBroken
from handsel.ids import new_id
from handsel.pay.money import Money
from tests.bank.camt import OURS, THEIRS

OWN = OwnAccount(Holder("Bänk & Co", Iban(OURS)), "COBADEFFXXX", "DE98ZZZ09999999999")
BATCH = new_id()
DUE = date(2026, 12, 1)
NAMESPACES = {
    "t": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
    "d": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08",
}


def transfer(
    *, name: str = "Café Łódź", minor: int = 12_34, text: str = "Pay-out", currency: str = "EUR"
) -> TransferOrder:
    return TransferOrder(new_id(), Holder(name, Iban(THEIRS)), Money(minor, currency), text)


def debit(sequence: Sequence) -> DebitOrder:
    payer = Holder("Ann", Iban(THEIRS))
    return DebitOrder(new_id(), payer, Money(20_00, "EUR"), "Top-up", new_id(), date(2026, 11, 1), sequence)


def test_a_transfer_file_says_what_was_ordered() -> None:
    orders = (transfer(), transfer(minor=AMOUNT_MINOR_MAX), transfer(minor=1))

    root = ElementTree.fromstring(
        write_credit_transfer(orders, by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1_700_000_000_000)
    )

    found = [
        (one.findtext("t:PmtId/t:EndToEndId", "", NAMESPACES), one.findtext("t:Amt/t:InstdAmt", "", NAMESPACES))
        for one in root.iterfind(".//t:CdtTrfTxInf", NAMESPACES)
    ]
    assert found == [(order.id, str(order.money).removesuffix(" EUR")) for order in orders]
    assert root.findtext(".//t:CdtTrfTxInf/t:Cdtr/t:Nm", "", NAMESPACES) == "Cafe Lodz"
    assert root.findtext(".//t:PmtInfId", "", NAMESPACES) == block_id(BATCH, 0)
    assert root.findtext(".//t:CtrlSum", "", NAMESPACES) == "1000000012.34"


def test_the_same_orders_make_the_same_file() -> None:
    orders = (transfer(), transfer())
    first = write_credit_transfer(orders, by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1)

    assert write_credit_transfer(orders, by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1) == first


def test_first_and_recurrent_debits_stand_in_blocks_of_their_own() -> None:
    orders = (debit(Sequence.RECURRENT), debit(Sequence.FIRST), debit(Sequence.RECURRENT))

    root = ElementTree.fromstring(write_direct_debit(orders, by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1))

    blocks = [
        (
            block.findtext("d:PmtInfId", "", NAMESPACES),
            block.findtext("d:PmtTpInf/d:SeqTp", "", NAMESPACES),
            [one.text for one in block.iterfind(".//d:EndToEndId", NAMESPACES)],
        )
        for block in root.iterfind(".//d:PmtInf", NAMESPACES)
    ]
    assert blocks == [
        (block_id(BATCH, 0), "FRST", [orders[1].id]),
        (block_id(BATCH, 1), "RCUR", [orders[0].id, orders[2].id]),
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: transfer(minor=0),
        lambda: transfer(minor=-1),
        lambda: transfer(minor=AMOUNT_MINOR_MAX + 1),
        lambda: transfer(currency="CHF"),
        lambda: transfer(name=""),
        lambda: transfer(name="x" * 71),
        lambda: transfer(name="line\nbreak"),
        lambda: transfer(text=" "),
        lambda: transfer(text="x" * 141),
        lambda: OwnAccount(OWN.holder, bic="nonsense"),
        lambda: OwnAccount(OWN.holder, creditor_id="98ZZZ"),
        lambda: sepa_text("☃"),
        lambda: sepa_text("щ" * 80),  # In Latin letters it is longer.
    ],
)
def test_what_no_bank_can_carry_out_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BodyInvalid):
        make()


def test_the_longest_name_and_text_are_taken() -> None:
    written = write_credit_transfer(
        (transfer(name="ß" * 35, text="x" * 140),), by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1
    )

    assert b"ss" * 35 in written


def test_a_name_that_no_bank_can_write_keeps_nobody_from_being_paid() -> None:
    orders = (transfer(name="щ" * 40), transfer(name="☃"))

    root = ElementTree.fromstring(write_credit_transfer(orders, by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1))

    names = [each.text for each in root.iterfind(".//t:CdtTrfTxInf/t:Cdtr/t:Nm", NAMESPACES)]
    assert names == [("shch" * 40)[:70], "Account holder"]


def test_who_has_no_creditor_identifier_does_not_collect() -> None:
    with pytest.raises(ConfigError):
        write_direct_debit(
            (debit(Sequence.FIRST),), by=OwnAccount(OWN.holder), batch_id=BATCH, due_on=DUE, made_at_ms=1
        )


def test_a_file_that_breaks_the_schema_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handsel.bank.credit_transfer.sepa_text", lambda _: "x" * 200)

    with pytest.raises(InvariantBroken):
        write_credit_transfer((transfer(),), by=OWN, batch_id=BATCH, due_on=DUE, made_at_ms=1)


def test_no_account_or_name_is_in_a_repr() -> None:
    for value in (transfer(), debit(Sequence.FIRST), OWN, OWN.holder):
        assert THEIRS not in repr(value) and OURS not in repr(value) and "Ann" not in repr(value)
