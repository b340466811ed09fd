"""
Tell the till of a charge, sealed to it, which key the receipt is for and at which shops the payer is to be named.

Both are as long and look as random whether there is something to tell or not: the acquirer that carries the reply
opens nothing, and a till can check for its own shop and for no other.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.envelope import seal_reply
from handsel.errors import ensure
from handsel.flows.issuing.issuer import Issuer
from handsel.keys import KEY_BYTES
from handsel.naming import NAMING_TAG_BYTES, NAMING_TAGS, naming_key_of, naming_tag
from handsel.order import CHARGE_REPLY, ChargeOrder, ChargeReply
from handsel.store import issuer_naming as naming
from handsel.store import issuer_receipt as receipts
from handsel.store.database import UnitOfWork
from handsel.store.issuer_note import ChargeRow


def reply_to_till(issuer: Issuer, uow: UnitOfWork, wanted: ChargeOrder, row: ChargeRow) -> bytes | None:
    """
    Return the reply to the till of a charge that is being approved or reserves; None to one that asks for none.

    1. The next key of the wallet, which no other charge gets: also where what was reserved is given back. A till knows
       it by then, and two tills that were told the same key would know that one wallet has paid at both. Where it has
       none left, the public half of a fresh key that is thrown away: random bytes would not do, for not all of them are
       public keys.
    2. A tag for each shop that the payer wants named, among random ones, in an order that says nothing.

    A tag can be made by its shop's tills alone, which have the secret to the key that the shop shows.
    """
    if wanted.reply_key is None:
        return None
    ensure(row.wallet_id is not None, "a charge that is approved or reserves has a wallet")
    wallet_id = str(row.wallet_id)
    key = receipts.take_key(uow, wallet_id, charge_id=row.id)  # 1
    if key is None:
        key = X25519PrivateKey.from_private_bytes(issuer.random_bytes(KEY_BYTES)).public_key().public_bytes_raw()
        receipts.add_blind_key(uow, wallet_id, key, charge_id=row.id)
    shops = naming.named_shops_of(uow, wallet_id)[:NAMING_TAGS]
    secret = naming_secret(issuer, row.id)
    tags = [naming_tag(secret, other=shop.naming_key, order_id=row.id) for shop in shops]  # 2
    tags += [issuer.random_bytes(NAMING_TAG_BYTES) for _ in range(NAMING_TAGS - len(tags))]
    reply = ChargeReply(key, naming_key_of(secret), tuple(sorted(tags)))
    return seal_reply(reply, reply_key=wanted.reply_key, purpose=CHARGE_REPLY)


def naming_secret(issuer: Issuer, charge_id: str) -> bytes:
    """
    Return the issuer's secret for the tags of one charge: derived, so that it is made again when the line comes.
    """
    key = hashlib.sha256(b"handsel/v1/issuer-naming\0" + issuer.keys.sign.private_bytes_raw()).digest()
    return hmac.digest(key, charge_id.encode(), "sha256")
