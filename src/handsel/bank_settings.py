"""
Hold the settings of a party's account at a bank. Whether a number is an account's is checked where they are used.
"""

from __future__ import annotations

import msgspec

from handsel.errors import ConfigError


class AcquirerAccountEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say where an acquirer is paid for redeemed notes, and its settlement reference, which the payment then bears.
    """

    holder: str
    iban: str
    reference: str


class IssuerBank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Name the issuer's account at a bank. Without `iban` there is none, and no money but the sandbox's.

    `creditor_id` allows direct debits; `acquirers` maps the names of acquirers to their accounts.
    """

    holder: str = ""
    iban: str = ""
    bic: str = ""
    creditor_id: str = ""
    acquirers: dict[str, AcquirerAccountEntry] = {}


class AcquirerBank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Name the acquirer's account at a bank. Without `iban` there is none, and nobody is paid out.

    `settlement_reference` is what the issuer's payments bear; a merchant is paid out from `pay_out_minor_min` on.
    """

    holder: str = ""
    iban: str = ""
    bic: str = ""
    settlement_reference: str = ""
    pay_out_minor_min: int = 100

    def __post_init__(self) -> None:
        """
        Refuse to pay out nothing. Raises `ConfigError`.
        """
        if self.pay_out_minor_min < 1:
            raise ConfigError("pay_out_minor_min is at least 1 minor unit")
