"""
Register merchants and tills, and find out who asks.
"""

from __future__ import annotations

from collections.abc import Collection

from handsel.errors import AccessDenied, BodyInvalid, NotFound
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.merchant import SECRET_CHARS_MIN, Merchant, Till, hash_secret
from handsel.store.acquirer import AcquirerBooks


def register_merchant(acquirer: Acquirer, merchant: Merchant, *, key: str) -> None:
    """
    Add a merchant, or give it a new name or key. The key is not stored, only a hash of it.

    Raises `BodyInvalid` where the key is too short, or another merchant's.
    """
    key_hash = hash_secret(_require_secret(key))
    with acquirer.store.unit_of_work() as books:
        holder = books.merchants.merchant_by_key(key_hash)
        if holder is not None and holder.id != merchant.id:
            raise BodyInvalid("another merchant has this key: make a new one")
        books.merchants.save_merchant(merchant, key_hash=key_hash)
        books.commit()


def register_till(acquirer: Acquirer, till: Till, *, token: str) -> None:
    """
    Add a till to a merchant, or give it a new token. The token is not stored, only a hash of it.

    Raises `NotFound` where there is no such merchant, `BodyInvalid` where the token is too short, or another till's.
    """
    token_hash = hash_secret(_require_secret(token))
    with acquirer.store.unit_of_work() as books:
        if books.merchants.merchant(till.merchant_id) is None:
            raise NotFound("there is no merchant of that id")
        holder = books.merchants.till_by_token(token_hash)
        if holder is not None and holder.id != till.id:
            raise BodyInvalid("another till has this token: make a new one")
        books.merchants.save_till(till, token_hash=token_hash)
        books.commit()


def revoke_others(acquirer: Acquirer, *, merchants: Collection[Merchant], tills: Collection[Till]) -> None:
    """
    Let nobody in any more but these: what was struck from the settings, a stolen till say, must not come back.

    Payments and receipts of the others stay.
    """
    with acquirer.store.unit_of_work() as books:
        books.merchants.revoke_others(merchants={each.id for each in merchants}, tills={each.id for each in tills})
        books.commit()


def sign_in_merchant(acquirer: Acquirer, key: str) -> Merchant:
    """
    Return the merchant who has `key`. Raises `AccessDenied`.
    """
    with acquirer.store.unit_of_work() as books:
        merchant = books.merchants.merchant_by_key(hash_secret(key))
    if merchant is None:
        raise AccessDenied("the merchant key is not known here")
    return merchant


def find_till(acquirer: Acquirer, token: str) -> Till:
    """
    Return the till that has `token`. Raises `AccessDenied`.
    """
    with acquirer.store.unit_of_work() as books:
        till = books.merchants.till_by_token(hash_secret(token))
    if till is None:
        raise AccessDenied("the till's token is not known here")
    return till


def choose_till(books: AcquirerBooks, merchant: Merchant, *, name: str | None) -> Till:
    """
    Return the merchant's till of that name or, without one, its first. Raises `NotFound` where it has none.
    """
    found = next((till for till in books.merchants.tills_of(merchant.id) if name in (None, till.name)), None)
    if found is None:
        raise NotFound("the merchant has no such till")
    return found


def _require_secret(secret: str) -> str:
    if len(secret) < SECRET_CHARS_MIN:
        raise BodyInvalid(f"a key or token has at least {SECRET_CHARS_MIN} characters")
    return secret
