"""
Give and withdraw the consent without which no palm is enrolled.

What is recorded is which text was agreed to, and when. Withdrawing is as easy as giving, and erases the palms: GDPR
Art. 7(3) and Art. 17(1)(b).
"""

from __future__ import annotations

import re

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.erase_palm import erase_palms_of
from handsel.flows.issuing.issuer import Issuer
from handsel.store import issuer as wallets

CONSENT_VERSION = "1"  # Of the text in web/templates/wallet/consent.html: change both, or neither.
_VERSION = re.compile(r"[0-9a-z][0-9a-z.-]{0,39}")


def give_consent(issuer: Issuer, wallet_id: str, *, version: str) -> None:
    """
    Record consent to the text of that version, in place of any earlier one. Raises `BodyInvalid` and `NotFound`.
    """
    if not _VERSION.fullmatch(version):
        raise BodyInvalid("name the version of the text that was agreed to")
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        if wallets.find_wallet(uow, wallet_id) is None:
            raise NotFound("there is no such wallet")
        if wallets.consent_in_force(uow, wallet_id) == version:
            return
        wallets.withdraw_consents(uow, wallet_id, now_ms=now_ms)
        wallets.add_consent(uow, wallet_id, version=version, now_ms=now_ms)
        uow.commit()


def withdraw_consent(issuer: Issuer, wallet_id: str) -> None:
    """
    Record that consent was withdrawn, and erase the wallet's palms. Its money stays. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        if wallets.find_wallet(uow, wallet_id) is None:
            raise NotFound("there is no such wallet")
        wallets.withdraw_consents(uow, wallet_id, now_ms=now_ms)
        erase_palms_of(issuer, uow, wallet_id, now_ms=now_ms)
        uow.commit()
