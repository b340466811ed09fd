"""
Read a bank's statement: camt.053.001.02 and .08, as ISO 20022 defines them and as SEPA banks write them.

1. Bound, parse, and look for the namespace.
2. Of each statement take account, currency, balances, and the entries that are booked; pending ones are left out.
3. An entry that joins several payments becomes one movement for each, where their amounts are given and add up.
4. A statement that does not add up is refused, and with it the whole file.

LIMITATIONS: One account has one currency. An entry that joins payments and does not tell their amounts stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element

from handsel.bank.iban import Iban
from handsel.bank.reference import find_reference, looks_like_reference
from handsel.bank.statement import Movement, Party, Statement
from handsel.bank.xml_file import read_xml
from handsel.errors import BodyInvalid, StatementInvalid
from handsel.pay.money import AMOUNT_MINOR_MAX, MINOR_DIGITS, Money

STATEMENTS_MAX = 100  # In one file.
MOVEMENTS_MAX = 20_000  # Booked as one, which takes some 4 s for 10,000: so long the party itself waits.
TEXT_CHARS_MAX = 35  # Of any identification in ISO 20022 that is used here.
NAME_CHARS_MAX = 140
REMITTANCE_CHARS_MAX = 10 * 140

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:02|08)\}Document")
_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{0,5}))?")
_BOOKED, _NOT_BOOKED = "BOOK", ("PDNG", "INFO", "FUTR")
_NO_REFERENCE = frozenset({"", "NONREF", "NOREF", "NOTPROVIDED"})


def read_statements(*files: bytes) -> tuple[Statement, ...]:
    """
    Return the statements of files, in their order. Raises `StatementInvalid`, which quotes nothing of them.
    """
    statements = tuple(statement for raw in files for statement in _read_file(raw))
    if sum(len(each.movements) for each in statements) > MOVEMENTS_MAX:
        raise StatementInvalid(
            f"at most {MOVEMENTS_MAX} movements are booked at once: bring fewer files, or shorter ones"
        )
    return statements


def _read_file(raw: bytes) -> tuple[Statement, ...]:
    root = read_xml(raw)
    if not _NAMESPACE.fullmatch(root.tag):
        raise StatementInvalid("the file is no statement in camt.053.001.02 or camt.053.001.08: choose one at the bank")
    namespace = root.tag.removesuffix("Document")
    for element in root.iter():
        element.tag = element.tag.removeprefix(namespace)
    found = root.findall("BkToCstmrStmt/Stmt")
    if not 0 < len(found) <= STATEMENTS_MAX:
        raise StatementInvalid(f"a file has 1 to {STATEMENTS_MAX} statements")
    statements = tuple(_statement(each) for each in found)
    if len({(each.iban, each.id) for each in statements}) != len(statements):
        raise StatementInvalid("two statements of the file have the same id; nothing was booked")
    return statements


def _statement(element: Element) -> Statement:
    balances = {_text(each, "Tp/CdOrPrtry/Cd"): each for each in element.findall("Bal")}
    opening, closing = balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD")
    if opening is None or closing is None:
        raise StatementInvalid("a statement has no booked opening or closing balance (OPBD, CLBD)")
    currency = _currency(closing.find("Amt"))
    if _currency(opening.find("Amt")) != currency:
        raise StatementInvalid("the balances of a statement are in two currencies")
    try:
        iban = Iban(_text(element, "Acct/Id/IBAN"))
    except BodyInvalid as exc:
        raise StatementInvalid("a statement's account is no IBAN") from exc
    return Statement(
        id=_required(element, "Id"),
        iban=iban,
        currency=currency,
        opening_minor=_signed(opening),
        closing_minor=_signed(closing),
        closed_on=_day(closing, "Dt"),
        movements=tuple(movement for each in element.findall("Ntry") for movement in _movements(each)),
    )


def _movements(entry: Element) -> Iterator[Movement]:
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    if status in _NOT_BOOKED:
        return
    if status != _BOOKED:
        raise StatementInvalid("an entry is neither booked nor pending")
    whole = _money(entry.find("Amt"))
    details = entry.findall("NtryDtls/TxDtls")
    amounts = [each.find("AmtDtls/TxAmt/Amt") for each in details]
    amounts = [each.find("Amt") if amount is None else amount for each, amount in zip(details, amounts, strict=True)]
    given = [_money(amount) for amount in amounts if amount is not None]
    if len(details) > 1 and len(given) == len(details):
        if any(money.currency != whole.currency for money in given):
            raise StatementInvalid("an entry joins payments in several currencies")
        if sum(money.amount_minor for money in given) != whole.amount_minor:
            raise StatementInvalid("the payments that an entry joins do not add up to its amount")
        for place, (detail, money) in enumerate(zip(details, given, strict=True)):
            yield _movement(entry, detail, money, place=place)
        return
    yield _movement(entry, details[0] if len(details) == 1 else None, whole, place=0)


def _movement(entry: Element, detail: Element | None, money: Money, *, place: int) -> Movement:
    part = Element("TxDtls") if detail is None else detail
    is_credit = _is_credit(entry)
    own = _text(part, "Refs/AcctSvcrRef")
    shared = _text(entry, "AcctSvcrRef")
    reference = own if own not in _NO_REFERENCE else shared
    if reference in _NO_REFERENCE:
        reference = ""
    elif reference == shared and place:
        reference = f"{reference}/{place}"  # One entry of the bank's, several payments.
    end_to_end_id = _text(part, "Refs/EndToEndId")
    written = " ".join(_all_text(part, "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Ustrd"))[:REMITTANCE_CHARS_MAX]
    found = find_reference(written)
    return Movement(
        money=money,
        is_credit=is_credit,
        booked_on=_day(entry, "BookgDt"),
        bank_reference=reference,
        end_to_end_id="" if end_to_end_id in _NO_REFERENCE else end_to_end_id,
        block_id=_text(part, "Refs/PmtInfId") or _text(entry, "NtryDtls/Btch/PmtInfId"),
        reference=found or "",
        is_reference_wrong=found is None and looks_like_reference(written),
        is_reversal=_text(entry, "RvslInd") in ("true", "1"),
        return_code=_text(part, "RtrInf/Rsn/Cd"),
        party=_party(part, "Dbtr" if is_credit else "Cdtr"),
    )


def _party(part: Element, role: str) -> Party:
    name = _text(part, f"RltdPties/{role}/Nm", f"RltdPties/{role}/Pty/Nm", chars_max=NAME_CHARS_MAX)
    try:
        return Party(name, Iban(_text(part, f"RltdPties/{role}Acct/Id/IBAN")))
    except BodyInvalid:  # The bank does not say, or the sender has an account of another kind.
        return Party(name, None)


def _day(element: Element, path: str) -> str:
    day = _text(element, f"{path}/Dt", f"{path}/DtTm")[:10]
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as exc:
        raise StatementInvalid("a booked entry or a balance has no day, as in 2026-12-31") from exc


def _signed(balance: Element) -> int:
    amount = balance.find("Amt")
    minor = _minor("" if amount is None else amount.text or "", _currency(amount))
    return minor if _is_credit(balance) else -minor


def _money(amount: Element | None) -> Money:
    currency = _currency(amount)
    minor = _minor("" if amount is None else (amount.text or ""), currency)
    if minor == 0:
        raise StatementInvalid("a movement has an amount of zero")
    return Money(minor, currency)


def _minor(text: str, currency: str) -> int:
    found = _AMOUNT.fullmatch(text.strip())
    digits = MINOR_DIGITS[currency]
    part = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(part) > digits:
        raise StatementInvalid("an amount is not a number of the currency's units: it has no sign, and a point")
    minor = int(found[1] + part.ljust(digits, "0"))
    if minor > AMOUNT_MINOR_MAX:
        raise StatementInvalid("an amount is larger than any that is booked here")
    return minor


def _currency(amount: Element | None) -> str:
    currency = "" if amount is None else amount.get("Ccy", "")
    if currency not in MINOR_DIGITS:
        raise StatementInvalid(
            "an amount is missing, or its currency is not one of: " + ", ".join(sorted(MINOR_DIGITS))
        )
    return currency


def _is_credit(element: Element) -> bool:
    side = _text(element, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise StatementInvalid("an entry or a balance says neither CRDT nor DBIT")
    return side == "CRDT"


def _required(element: Element, path: str) -> str:
    text = _text(element, path)
    if not text:
        raise StatementInvalid(f"a statement has no {path}")
    return text


def _text(element: Element, *paths: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """
    Return the text at the first path that has one, or nothing. Raises `StatementInvalid` where it is too long.
    """
    text = next((found for path in paths if (found := (element.findtext(path) or "").strip())), "")
    if len(text) > chars_max:
        raise StatementInvalid(f"a field has more than {chars_max} characters; nothing was booked")
    return text


def _all_text(element: Element, *paths: str) -> Iterator[str]:
    for path in paths:
        for each in element.findall(path):
            yield (each.text or "").strip()
