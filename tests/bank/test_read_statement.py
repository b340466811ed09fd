"""
Promise that a statement is read as the bank meant it, or refused by name, whatever the file holds.
"""

from __future__ import annotations

import contextlib
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.bank import read_statement
from handsel.bank.iban import Iban
from handsel.bank.read_statement import read_statements
from handsel.bank.read_status import Refusal, read_status
from handsel.bank.reference import new_reference
from handsel.bank.statement import Movement, Party, Statement
from handsel.bank.xml_file import DEPTH_MAX
from handsel.errors import StatementInvalid
from handsel.pay.money import Money
from tests.bank.camt import (
    FIRST_DAY,
    OURS,
    THEIRS,
    V02,
    V08,
    amount,
    balance,
    camt,
    details,
    document,
    entry,
    statement,
)

REFERENCE = new_reference(secrets.token_bytes)
MOVEMENT = Movement(Money(20_00, "EUR"), True, "2026-01-02", "bank-1", party=Party("Ann Ähre", Iban(THEIRS)))
_PAID = Movement(Money(7_30, "EUR"), False, "2026-01-03", "bank-2", end_to_end_id="a" * 32, block_id="b" * 32)

movements = st.builds(
    Movement,
    money=st.builds(Money, st.integers(1, 10**11), st.just("EUR")),
    is_credit=st.booleans(),
    booked_on=st.sampled_from(["2026-01-02", "2026-01-03"]),
    bank_reference=st.sampled_from(["", "bank-7", "bank-8"]),
    end_to_end_id=st.sampled_from(["", "a" * 32]),
    block_id=st.sampled_from(["", "b" * 32]),
    reference=st.sampled_from(["", REFERENCE]),
    is_reversal=st.booleans(),
    return_code=st.sampled_from(["", "AC04"]),
    party=st.sampled_from([Party("", None), Party("Ann & <Co>", None), Party("Ann", Iban(THEIRS))]),
)


@given(st.lists(movements, max_size=5), st.integers(-(10**11), 10**11), st.sampled_from([V02, V08]))
@settings(max_examples=40, deadline=None)
def test_what_a_bank_writes_is_read(written: list[Movement], opening: int, version: str) -> None:
    closing = opening + sum(each.change_minor for each in written)

    (read,) = read_statements(camt(written, opening=opening, version=version))

    closed_on = max((each.booked_on for each in written), default=FIRST_DAY)
    assert read == Statement("2026-001", Iban(OURS), "EUR", opening, closing, closed_on, tuple(written))


def test_pending_entries_are_left_out() -> None:
    text = statement([MOVEMENT]).replace("</Stmt>", entry(_PAID, status="PDNG") + "</Stmt>")

    assert read_statements(document(text))[0].movements == (MOVEMENT,)


@pytest.mark.parametrize("version", [V02, V08])
def test_an_entry_that_joins_payments_becomes_one_movement_for_each(version: str) -> None:
    whole = Movement(Money(30_00, "EUR"), False, "2026-01-02", "bank-9")
    parts = [Movement(Money(minor, "EUR"), False, "2026-01-02", end_to_end_id=f"{minor}") for minor in (10_00, 20_00)]
    joined = "".join(details(part, version=version) for part in parts)
    text = statement([whole], version=version).replace(details(whole, version=version), joined)

    (read,) = read_statements(document(text, version=version))

    assert [each.end_to_end_id for each in read.movements] == ["1000", "2000"]
    assert len({each.bank_reference for each in read.movements}) == 2


def test_a_reference_in_free_text_is_found() -> None:
    spaced = f"top up {REFERENCE[:4]} {REFERENCE[4:].lower()}"
    text = statement([MOVEMENT]).replace("</TxDtls>", f"<RmtInf><Ustrd>{spaced}</Ustrd></RmtInf></TxDtls>")

    assert read_statements(document(text))[0].movements[0].reference == REFERENCE


def test_a_mistyped_reference_is_told_from_none() -> None:
    text = statement([MOVEMENT]).replace("</TxDtls>", "<RmtInf><Ustrd>RF00 1234</Ustrd></RmtInf></TxDtls>")

    assert read_statements(document(text))[0].movements[0].is_reference_wrong


GOOD = statement([MOVEMENT])
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lol [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(8))
    + b"]><Document>&i;</Document>"
)
WRONG = {
    "nothing": b"",
    "no XML": b"%PDF-1.7",
    "half a file": camt([MOVEMENT])[:-40],
    "an entity bomb": BOMB,
    "a DTD": b'<!DOCTYPE Document SYSTEM "http://localhost/x.dtd"><Document/>',
    "an external entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
    "an encoding that there is not": b'<?xml version="1.0" encoding="latin-99"?><Document/>',
    "another namespace": camt([MOVEMENT]).replace(b"camt.053.001.08", b"camt.052.001.08"),
    "no namespace": camt([MOVEMENT]).replace(b"urn:iso:std:iso:20022:tech:xsd:", b""),
    "no statement": document(),
    "too deep": document("<a>" * DEPTH_MAX + "</a>" * DEPTH_MAX),
    "no closing balance": document(GOOD.replace("CLBD", "ITBD")),
    "no opening balance": document(GOOD.replace("OPBD", "OPAV")),
    "a sum that is not so": document(statement([MOVEMENT], closing=1)),
    "two statements of one id": document(GOOD, GOOD),
    "no id": document(GOOD.replace("<Id>2026-001</Id>", "")),
    "an id that is too long": document(GOOD.replace("2026-001", "x" * 36)),
    "a name that is too long": document(GOOD.replace("Ann Ähre", "x" * 141)),
    "a wrong check digit": document(GOOD.replace(OURS, OURS[:-1] + "1")),
    "a negative amount": document(GOOD.replace(">20.00<", ">-20.00<")),
    "an amount of zero": document(statement([MOVEMENT], closing=0).replace(">20.00<", ">0.00<")),
    "an amount in words": document(GOOD.replace(">20.00<", ">twenty<")),
    "no amount": document(GOOD.replace(amount(MOVEMENT.money), "")),
    "parts of cents": document(GOOD.replace(">20.00<", ">20.001<")),
    "more than there is": document(GOOD.replace(">20.00<", ">9999999999999<")),
    "a currency that there is not": document(GOOD.replace('Ccy="EUR"', 'Ccy="XXX"')),
    "two currencies": document(GOOD.replace(balance("OPBD", 0), balance("OPBD", 0, currency="USD"))),
    "an entry in another currency": document(GOOD.replace(entry(MOVEMENT), entry(MOVEMENT).replace("EUR", "USD"))),
    "neither credit nor debit": document(GOOD.replace("CRDT", "BOTH")),
    "neither booked nor pending": document(GOOD.replace("BOOK", "MAYB")),
    "no day of the balance": document(GOOD.replace("<Dt>2026-01-02</Dt></Dt></Bal>", "<Dt>2026-02-30</Dt></Dt></Bal>")),
    "no day": document(GOOD.replace("<Dt>2026-01-02</Dt>", "<Dt>soon</Dt>")),
    "parts that do not add up": document(GOOD.replace("</NtryDtls>", details(MOVEMENT) + "</NtryDtls>")),
}


def test_several_files_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = camt([MOVEMENT], name="1"), camt([MOVEMENT], name="2")

    assert [each.id for each in read_statements(one, other)] == ["1", "2"]
    assert [each.id for each in read_statements(one, one)] == ["1", "1"]  # Two files may have one in common.
    monkeypatch.setattr(read_statement, "MOVEMENTS_MAX", 1)
    assert len(read_statements(one)) == 1
    with pytest.raises(StatementInvalid, match="at most 1 movements"):
        read_statements(one, other)


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_cannot_be_used_is_refused_and_not_quoted(what: str) -> None:
    with pytest.raises(StatementInvalid) as refused:
        read_statements(WRONG[what])
    for secret in ("Ann", OURS, THEIRS, "20.00", "passwd", "twenty"):
        assert secret not in str(refused.value)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_but_our_own_error_leaves_the_readers(data: st.DataObject) -> None:
    """
    Bytes of a good file are cut, doubled and replaced; whatever comes of it is a statement that adds up, or refused.
    """
    raw = bytearray(camt([MOVEMENT, _PAID]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        to = min(len(raw), at + data.draw(st.integers(0, 30)))
        raw[at:to] = data.draw(st.one_of(st.binary(max_size=6), st.just(bytes(raw[at:to] * 2)), st.just(b"<Ntry>")))
    for read in (read_statements, read_status):
        with contextlib.suppress(StatementInvalid):
            read(bytes(raw))


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_no_bytes_get_through(raw: bytes) -> None:
    for read in (read_statements, read_status):
        with pytest.raises(StatementInvalid):
            read(raw)


def status(group: str = "", *blocks: str) -> bytes:
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>file</OrgnlMsgId>{group}</OrgnlGrpInfAndSts>{''.join(blocks)}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


REASON = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"


def test_what_a_bank_refuses_is_read() -> None:
    one = f"<TxInfAndSts><OrgnlEndToEndId>one</OrgnlEndToEndId><TxSts>RJCT</TxSts>{REASON}</TxInfAndSts>"
    other = "<TxInfAndSts><OrgnlEndToEndId>other</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
    block = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>block</OrgnlPmtInfId><PmtInfSts>{}</PmtInfSts>{}</OrgnlPmtInfAndSts>"

    assert read_status(status(f"<GrpSts>RJCT</GrpSts>{REASON}")) == (Refusal(batch_id="file", reason="AC04"),)
    assert read_status(status("", block.format("RJCT", REASON))) == (Refusal(block_id="block", reason="AC04"),)
    assert read_status(status("", block.format("PART", one + other))) == (Refusal(order_id="one", reason="AC04"),)
    assert read_status(status("<GrpSts>ACCP</GrpSts>")) == ()


@pytest.mark.parametrize(
    "raw", [camt([MOVEMENT]), status().replace(b"OrgnlGrpInf", b"Other"), status("<GrpSts>" + "x" * 36 + "</GrpSts>")]
)
def test_another_file_is_no_answer(raw: bytes) -> None:
    with pytest.raises(StatementInvalid):
        read_status(raw)
