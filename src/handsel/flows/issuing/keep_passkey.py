"""
Add a passkey to a wallet, and remove one. To add is a ceremony of two steps: an offer, and the browser's answer to it.
"""

from __future__ import annotations

import hashlib

from handsel.errors import BodyInvalid, NotFound, PasskeyInvalid
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.open_wallet import require_open
from handsel.flows.issuing.relying_party import Passkey, RelyingParty
from handsel.store import issuer_passkey as passkeys
from handsel.store.database import UnitOfWork
from handsel.store.issuer_passkey import PASSKEYS_MAX, PasskeyRow

OFFER_VALID_MS = 5 * 60 * 1000
CHALLENGE_BYTES = 32
USER_ID_BYTES = 32


def party_of(issuer: Issuer) -> RelyingParty:
    """
    Return what speaks with browsers about passkeys. Raises `NotFound` where the issuer has no origin for them.
    """
    if issuer.factors.party is None:
        raise NotFound("this bank offers no passkeys: its setting wallet_origin is empty")
    return issuer.factors.party


def offer_passkey(issuer: Issuer, wallet_id: str) -> str:
    """
    Return what a browser makes a new passkey with, as JSON. An earlier offer is void.

    Raises `NotFound` for a wallet that is closed, and `BodyInvalid` where there are passkeys enough.
    """
    party = party_of(issuer)
    challenge = issuer.random_bytes(CHALLENGE_BYTES)
    with issuer.database.unit_of_work() as uow:
        require_open(uow, wallet_id)
        held = held_passkeys(uow, wallet_id)
        if len(held) >= PASSKEYS_MAX:
            raise BodyInvalid(f"a wallet has at most {PASSKEYS_MAX} passkeys: remove one first")
        passkeys.put_offer(uow, wallet_id, challenge, expires_at_ms=issuer.clock() + OFFER_VALID_MS)
        uow.commit()
    # The device keeps this id beside the passkey. It says nothing of the wallet to whoever reads it there.
    user_id = hashlib.sha256(b"handsel/v1/passkey-user\0" + wallet_id.encode()).digest()[:USER_ID_BYTES]
    return party.ask_for_new(challenge=challenge, user_id=user_id, held=held)


def add_passkey(issuer: Issuer, wallet_id: str, *, response: str) -> None:
    """
    Add the passkey that a browser made for the offer. Raises `PasskeyInvalid`, `NotFound` and `BodyInvalid`.

    The offer is used up whatever the answer is: another try begins with another challenge.
    """
    party = party_of(issuer)
    now_ms = issuer.clock()
    with issuer.database.unit_of_work() as uow:
        challenge = passkeys.take_offer(uow, wallet_id, now_ms=now_ms)
        uow.commit()
    if challenge is None:
        raise PasskeyInvalid("this took too long, or was answered before: load the page again, and try once more")
    made = party.check_new(response, challenge=challenge)
    with issuer.database.unit_of_work() as uow:
        require_open(uow, wallet_id)
        if len(passkeys.passkeys_of(uow, wallet_id)) >= PASSKEYS_MAX:
            raise BodyInvalid(f"a wallet has at most {PASSKEYS_MAX} passkeys: remove one first")
        row = PasskeyRow(made.id, wallet_id, made.credential, made.sign_count, now_ms)
        if not passkeys.add_passkey(uow, row):
            raise PasskeyInvalid("this passkey is in use already: make another one")
        uow.commit()


def remove_passkey(issuer: Issuer, wallet_id: str, *, passkey_id: bytes) -> None:
    """
    Remove a passkey of this wallet: it approves nothing any more. Doing it again changes nothing.
    """
    with issuer.database.unit_of_work() as uow:
        passkeys.remove_passkey(uow, wallet_id, passkey_id)
        uow.commit()


def held_passkeys(uow: UnitOfWork, wallet_id: str) -> tuple[Passkey, ...]:
    """
    Return the passkeys of a wallet as they are asked for.
    """
    return tuple(Passkey(row.id, row.credential, row.sign_count) for row in passkeys.passkeys_of(uow, wallet_id))
