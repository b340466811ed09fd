"""
Write a file for the bank. Only the operator's commands load what writes XML: a running party does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from handsel.bank.credit_transfer import write_credit_transfer
from handsel.flows.banking.transfer_file import TransferFile


@dataclass(frozen=True, repr=False)
class BankFile:
    """
    Carry a file for the bank, how many orders are in it, and what they move.
    """

    content: bytes
    orders: int
    sum_minor: int


def written_transfers(file: TransferFile) -> BankFile:
    """
    Return a file of credit transfers, valid pain.001: the same each time for the same orders.
    """
    batch = file.batch
    content = write_credit_transfer(
        file.orders,
        by=file.by,
        batch_id=batch.id,
        due_on=date.fromisoformat(batch.due_on),
        made_at_ms=batch.made_ms,
    )
    return BankFile(content, len(file.orders), file.sum_minor)
