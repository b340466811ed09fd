"""
Write statements as a bank does, in camt.053.001.02 or .08, for the tests to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from handsel.bank.statement import Movement
from handsel.pay.money import Money

OURS = "DE89370400440532013000"
THEIRS = "AT611904300234573201"
FIRST_DAY = "2026-01-01"
V02, V08 = "camt.053.001.02", "camt.053.001.08"


def camt(
    movements: Sequence[Movement], *, name: str = "2026-001", opening: int = 0, version: str = V08, iban: str = OURS
) -> bytes:
    """
    Return a file with one statement of these movements, which adds up.
    """
    return document(statement(movements, name=name, opening=opening, version=version, iban=iban), version=version)


def document(*statements: str, version: str = V08) -> bytes:
    """
    Return a file of statements.
    """
    text = "".join(statements)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>m</MsgId></GrpHdr>{text}</BkToCstmrStmt></Document>"
    ).encode()


def statement(
    movements: Sequence[Movement],
    *,
    name: str = "2026-001",
    opening: int = 0,
    closing: int | None = None,
    version: str = V08,
    iban: str = OURS,
) -> str:
    """
    Return one statement.
    """
    ends = opening + sum(each.change_minor for each in movements) if closing is None else closing
    closed_on = max((each.booked_on for each in movements), default=FIRST_DAY)
    return (
        f"<Stmt><Id>{name}</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', ends, day=closed_on)}"
        f"{''.join(entry(each, version=version) for each in movements)}</Stmt>"
    )


def balance(code: str, minor: int, *, currency: str = "EUR", day: str = FIRST_DAY) -> str:
    """
    Return a balance.
    """
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(Money(abs(minor), currency))}"
        f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def amount(money: Money) -> str:
    """
    Return an amount.
    """
    number, currency = str(money).split()
    return f'<Amt Ccy="{currency}">{number}</Amt>'


def entry(movement: Movement, *, version: str = V08, status: str = "BOOK") -> str:
    """
    Return one entry with the details of one payment.
    """
    side = "CRDT" if movement.is_credit else "DBIT"
    said = f"<Sts>{status}</Sts>" if version == V02 else f"<Sts><Cd>{status}</Cd></Sts>"
    reversal = "<RvslInd>true</RvslInd>" if movement.is_reversal else ""
    reference = f"<AcctSvcrRef>{movement.bank_reference}</AcctSvcrRef>" if movement.bank_reference else ""
    return (
        f"<Ntry>{amount(movement.money)}<CdtDbtInd>{side}</CdtDbtInd>{reversal}{said}"
        f"<BookgDt><Dt>{movement.booked_on}</Dt></BookgDt>{reference}"
        f"<NtryDtls>{details(movement, version=version)}</NtryDtls></Ntry>"
    )


def details(movement: Movement, *, version: str = V08) -> str:
    """
    Return the details of one payment.
    """
    role = "Dbtr" if movement.is_credit else "Cdtr"
    party = movement.party
    named = f"<Nm>{escape(party.name)}</Nm>" if version == V02 else f"<Pty><Nm>{escape(party.name)}</Nm></Pty>"
    who = f"<{role}>{named}</{role}>" if party.name else ""
    where = f"<{role}Acct><Id><IBAN>{party.iban.text}</IBAN></Id></{role}Acct>" if party.iban else ""
    why = f"<RtrInf><Rsn><Cd>{movement.return_code}</Cd></Rsn></RtrInf>" if movement.return_code else ""
    block = f"<PmtInfId>{movement.block_id}</PmtInfId>" if movement.block_id else ""
    whole = f"<AmtDtls><TxAmt>{amount(movement.money)}</TxAmt></AmtDtls>" if version == V02 else amount(movement.money)
    reference = f"<RmtInf><Strd><CdtrRefInf><Ref>{movement.reference}</Ref></CdtrRefInf></Strd></RmtInf>"
    return (
        f"<TxDtls><Refs>{block}<EndToEndId>{movement.end_to_end_id or 'NOTPROVIDED'}</EndToEndId></Refs>{whole}"
        f"<RltdPties>{who}{where}</RltdPties>{reference if movement.reference else ''}{why}</TxDtls>"
    )
