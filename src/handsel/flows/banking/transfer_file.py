"""
Hold what a file of credit transfers is made of. Who writes it, and when, is the wiring's: it takes seconds for many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handsel.bank.booking import Batch
from handsel.bank.orders import OwnAccount, TransferOrder
from handsel.errors import ensure
from handsel.store.bank import BankTables


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
    Return what was written down for a file.
    """
    orders = books.orders_of(batch.id)
    holders = books.find_parties([order.party_id for order in orders])
    ensure(all(order.party_id in holders for order in orders), "whom the bank is to pay is kept until it has paid")
    return TransferFile(
        batch,
        tuple(TransferOrder(order.id, holders[order.party_id], order.money, order.text) for order in orders),
        by,
    )
