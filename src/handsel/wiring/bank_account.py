"""
Read a party's account at a bank from its settings.
"""

from __future__ import annotations

from handsel.bank.iban import parse_iban
from handsel.bank.orders import Holder, OwnAccount
from handsel.bank.reference import parse_reference
from handsel.bank_settings import AcquirerBank, IssuerBank
from handsel.errors import BodyInvalid, ConfigError


def own_account(bank: IssuerBank | AcquirerBank) -> OwnAccount | None:
    """
    Return the account that the settings name, or None where they name none. Raises `ConfigError`.
    """
    if not bank.iban:
        if bank != type(bank)():
            raise ConfigError("the settings below [bank] name no iban")
        return None
    creditor_id = bank.creditor_id if isinstance(bank, IssuerBank) else ""
    try:
        return OwnAccount(holder_of(bank.holder, bank.iban), bank.bic, creditor_id)
    except BodyInvalid as exc:
        raise ConfigError(f"[bank]: {exc}") from exc


def required_account(bank: IssuerBank | AcquirerBank) -> OwnAccount:
    """
    Return the account that the settings name. Raises `ConfigError`.
    """
    account = own_account(bank)
    if account is None:
        raise ConfigError("the settings name no bank account: set holder and iban below [bank]")
    return account


def holder_of(name: str, iban: str) -> Holder:
    """
    Return an account that a person wrote down. Raises `BodyInvalid`.
    """
    return Holder(name, parse_iban(iban))


def settlement_reference(text: str) -> str:
    """
    Return a reference from the settings. Raises `ConfigError`.
    """
    try:
        return parse_reference(text)
    except BodyInvalid as exc:
        raise ConfigError(f"[bank]: {exc}; `handsel bank reference` makes one") from exc
