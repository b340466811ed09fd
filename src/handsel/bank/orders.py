"""
Hold what a bank is asked to do: pay somebody (a credit transfer), or collect from somebody (a direct debit).

Values only; the files are written by `credit_transfer` and `direct_debit`. SEPA moves euros, and no other currency.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from handsel.bank.iban import Iban
from handsel.errors import BodyInvalid
from handsel.ids import require_id
from handsel.pay.ledger import derive_id
from handsel.pay.money import EURO, Money, require_positive

NAME_CHARS_MAX = 70  # Of a name in a SEPA file. Source: EPC132-08, AT-02, AT-21.
TEXT_CHARS_MAX = 140  # Of what a payment is for.
ORDERS_MAX = 20_000  # In one file: what is ordered is written down as one, and the party waits meanwhile.
AMOUNT_MINOR_MAX = 999_999_999_99  # Source: EPC132-08, AT-04.

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_CREDITOR_ID = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{4,31}")


class Sequence(StrEnum):
    """
    Say which collection of a mandate it is. Source: EPC130-08, AT-21.
    """

    FIRST = "FRST"
    RECURRENT = "RCUR"


@dataclass(frozen=True, repr=False)
class Holder:
    """
    Name an account and who holds it.
    """

    name: str
    iban: Iban

    def __post_init__(self) -> None:
        """
        Refuse a name that does not fit. Raises `BodyInvalid`.
        """
        require_name(self.name)


@dataclass(frozen=True, repr=False)
class OwnAccount:
    """
    Name the account that orders, with the BIC of its bank and, where it collects, the creditor identifier.
    """

    holder: Holder
    bic: str = ""
    creditor_id: str = ""

    def __post_init__(self) -> None:
        """
        Refuse an ill-formed BIC or creditor identifier. Raises `BodyInvalid`.
        """
        if self.bic and not _BIC.fullmatch(self.bic):
            raise BodyInvalid("a BIC has 8 or 11 capitals and digits")
        if self.creditor_id and not _CREDITOR_ID.fullmatch(self.creditor_id):
            raise BodyInvalid("a creditor identifier begins with a country, and has 8 to 35 capitals and digits")


@dataclass(frozen=True, repr=False)
class TransferOrder:
    """
    Ask to pay `money` to somebody. `id` comes back in the statement, and is what makes a second payment a repetition.
    """

    id: str
    to: Holder
    money: Money
    text: str

    def __post_init__(self) -> None:
        """
        Refuse nothing, too much, another currency, and a text that does not fit. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_payable(self.money)
        require_text(self.text)


@dataclass(frozen=True, repr=False)
class DebitOrder:
    """
    Ask to collect `money` from somebody, under a mandate that was signed on a day.
    """

    id: str
    by: Holder
    money: Money
    text: str
    mandate_id: str
    signed_on: date
    sequence: Sequence

    def __post_init__(self) -> None:
        """
        Refuse nothing, too much, another currency, and a text that does not fit. Raises `BodyInvalid`.
        """
        require_id(self.id)
        require_id(self.mandate_id)
        require_payable(self.money)
        require_text(self.text)


def block_id(batch_id: str, place: int) -> str:
    """
    Return what the block at a place in a file is called, from 0.
    """
    return derive_id(f"block_{place}", batch_id)


def require_name(name: str) -> str:
    """
    Return `name` if a bank's file can carry it. Raises `BodyInvalid`.
    """
    if not name.strip() or not name.isprintable() or len(name) > NAME_CHARS_MAX:
        raise BodyInvalid(f"the name of an account's holder has 1 to {NAME_CHARS_MAX} characters")
    return name


def require_text(text: str) -> str:
    """
    Return `text` if a bank's file can carry it. Raises `BodyInvalid`.
    """
    if not text.strip() or not text.isprintable() or len(text) > TEXT_CHARS_MAX:
        raise BodyInvalid(f"what a payment is for has 1 to {TEXT_CHARS_MAX} characters")
    return text


def require_payable(money: Money) -> Money:
    """
    Return `money` if SEPA moves it. Raises `BodyInvalid`.
    """
    if money.currency != EURO:
        raise BodyInvalid("SEPA moves euros only")
    if money.amount_minor > AMOUNT_MINOR_MAX:
        raise BodyInvalid(f"SEPA moves at most {Money(AMOUNT_MINOR_MAX, EURO)} at once")
    return require_positive(money)
