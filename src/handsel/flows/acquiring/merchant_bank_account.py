"""
Keep where a merchant is paid out, as the merchant says.
"""

from __future__ import annotations

from handsel.bank.orders import Holder
from handsel.flows.acquiring.acquirer import Acquirer
from handsel.pay.merchant import Merchant


def set_bank_account(acquirer: Acquirer, merchant: Merchant, holder: Holder, *, now_ms: int) -> None:
    """
    Pay a merchant out to this account from now on. What is at the bank already goes to the one before.
    """
    with acquirer.store.unit_of_work() as books:
        before = books.pay_outs.account_of(merchant.id)
        if before is not None and books.bank.find_party(before) == holder:
            return
        party_id = acquirer.new_id()
        books.bank.keep_party(party_id, holder, now_ms=now_ms)
        books.pay_outs.set_account(merchant.id, party_id, now_ms=now_ms)
        books.commit()


def bank_account_of(acquirer: Acquirer, merchant: Merchant) -> Holder | None:
    """
    Return where a merchant is paid out, or None where it has not said so.
    """
    with acquirer.store.unit_of_work() as books:
        party_id = books.pay_outs.account_of(merchant.id)
        return books.bank.find_party(party_id) if party_id else None
