"""
Give and withdraw the consent without which no palm is enrolled.

A consent is to one way of being recognised: an open hand, or a held key. What is recorded is which text was agreed to,
and when. Withdrawing is as easy as giving, and erases the palms, or the card: GDPR Art. 7(3) and Art. 17(1)(b).
"""

from __future__ import annotations

import re

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.erase_palm import erase_palms_of
from handsel.flows.issuing.issuer import Issuer
from handsel.order import Way
from handsel.store import issuer as wallets
from handsel.store import issuer_card as cards

CONSENT_VERSION = "1"  # Of the text in web/templates/wallet/consent.html: change both, or neither.
CARD_CONSENT_VERSION = "card-1"  # Of the text in web/templates/wallet/card_consent.html, likewise.
CONSENT_VERSIONS = {Way.OPEN_HAND: CONSENT_VERSION, Way.HELD_KEY: CARD_CONSENT_VERSION}
_VERSION = re.compile(r"[0-9a-z][0-9a-z.-]{0,39}")


def give_consent(issuer: Issuer, wallet_id: str, *, version: str, way: Way = Way.OPEN_HAND) -> None:
    """
    Record consent to the text of that version, in place of any earlier one. Raises `BodyInvalid` and `NotFound`.
    """
    if not _VERSION.fullmatch(version):
        raise BodyInvalid("name the version of the text that was agreed to")
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        if wallets.find_wallet(uow, wallet_id) is None:
            raise NotFound("there is no such wallet")
        if wallets.consent_in_force(uow, wallet_id, way=way) == version:
            return
        wallets.withdraw_consent(uow, wallet_id, way=way, now_ms=now_ms)
        wallets.add_consent(uow, wallet_id, version=version, way=way, now_ms=now_ms)
        uow.commit()


def withdraw_consent(issuer: Issuer, wallet_id: str, *, way: Way = Way.OPEN_HAND) -> None:
    """
    Record that consent was withdrawn, and erase the wallet's palms, or its card. Its money stays. Raises `NotFound`.
    """
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        if wallets.find_wallet(uow, wallet_id) is None:
            raise NotFound("there is no such wallet")
        wallets.withdraw_consent(uow, wallet_id, way=way, now_ms=now_ms)
        if way is Way.OPEN_HAND:
            erase_palms_of(issuer, uow, wallet_id, now_ms=now_ms)
        else:
            cards.remove_card_of(uow, wallet_id)
        uow.commit()
