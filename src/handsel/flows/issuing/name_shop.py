"""
Name a shop on a wallet's statement, because its owner asked for it; and stop naming it.

This is the one way in which the issuer learns of a shop. It holds for this wallet and this shop alone, for payments
from now on, and ends when the owner says so: then the names that were written are deleted as well.
"""

from __future__ import annotations

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.issuer import Issuer
from handsel.ids import new_id
from handsel.keys import KEY_BYTES
from handsel.naming import NAMING_TAGS, naming_tag
from handsel.store import issuer as wallets
from handsel.store import issuer_naming as naming
from handsel.store.issuer_naming import NamedShopRow

SHOP_CHARS_MAX = 200


def name_shop(issuer: Issuer, wallet_id: str, *, shop: str, naming_key: bytes) -> None:
    """
    Have a shop named from now on. The caller has shown what that means and was told yes.

    Raises `BodyInvalid` for what is no shop's link, and for one more than is named at a time; `NotFound`.
    """
    if len(naming_key) != KEY_BYTES or not 0 < len(shop) <= SHOP_CHARS_MAX or not shop.isprintable():
        raise BodyInvalid("this is no shop's link: open the one that the shop shows")
    naming_tag(bytes(KEY_BYTES), other=naming_key, order_id=new_id())  # Or it could have no tags.
    with issuer.database.unit_of_work() as uow:
        wallet = wallets.find_wallet(uow, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet")
        if wallet.is_closed:
            raise BodyInvalid("a closed wallet pays nothing that could be named")
        naming.add_named_shop(uow, wallet_id, NamedShopRow(naming_key, shop, issuer.clock()))
        if len(naming.named_shops_of(uow, wallet_id)) > NAMING_TAGS:
            raise BodyInvalid(f"at most {NAMING_TAGS} shops are named: stop naming one first")
        uow.commit()


def stop_naming(issuer: Issuer, wallet_id: str, *, naming_key: bytes) -> None:
    """
    Stop naming a shop, and delete what was named. Doing it again changes nothing.
    """
    with issuer.database.unit_of_work() as uow:
        naming.forget_named_shop(uow, wallet_id, naming_key)
        uow.commit()


def named_shops(issuer: Issuer, wallet_id: str) -> tuple[NamedShopRow, ...]:
    """
    Return the shops that are named on a wallet's statement.
    """
    with issuer.database.unit_of_work() as uow:
        return naming.named_shops_of(uow, wallet_id)
