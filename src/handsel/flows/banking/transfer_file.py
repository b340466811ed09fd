"""
Hold what a file of credit transfers is made of. Who writes it, and when, is the wiring's: it takes seconds for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handsel.bank.booking import Batch, OrderState
from handsel.bank.orders import OwnAccount, TransferOrder
from handsel.errors import NotFound, ensure
from handsel.store.bank import BankTables

KEPT = "whom the bank is to pay is kept until it has paid"


@dataclass(frozen=True, repr=False)
class TransferFile:
    """
    Answer with what a file for the bank is made of.
    """

    batch: Batch
    orders: Sequence[TransferOrder]
    by: OwnAccount

    @property
    def sum_minor(self) -> int:
        """
        Return what the file moves, in minor units.
        """
        return sum(order.money.amount_minor for order in self.orders)


def transfer_file(books: BankTables, batch: Batch, *, by: OwnAccount) -> TransferFile:
    """
    Return what was written down for a file. Raises `NotFound` where it was carried out and can not be written again.
    """
    orders = books.orders_of(batch.id)
    holders = books.find_parties([order.party_id for order in orders])
    if any(order.party_id not in holders for order in orders):
        ensure(all(order.state is not OrderState.ORDERED for order in orders if order.party_id not in holders), KEPT)
        raise NotFound("the bank has carried this file out, and an account in it is forgotten: choose another day")
    return TransferFile(
        batch,
        tuple(TransferOrder(order.id, holders[order.party_id], order.money, order.text) for order in orders),
        by,
    )
