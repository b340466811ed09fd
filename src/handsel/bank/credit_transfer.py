"""
Write a file of credit transfers for the bank: pain.001.001.09, valid by its schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sepaxml import SepaTransfer

from handsel.bank.orders import ORDERS_MAX, OwnAccount, TransferOrder
from handsel.bank.pain import finished, sepa_name, sepa_text
from handsel.errors import ensure
from handsel.pay.money import EURO

SCHEMA = "pain.001.001.09"


def write_credit_transfer(
    orders: Sequence[TransferOrder], *, by: OwnAccount, batch_id: str, due_on: date, made_at_ms: int
) -> bytes:
    """
    Return the file that asks the bank to pay all of `orders`: the same for the same orders.

    Raises `BodyInvalid` for a text that cannot be written, and `InvariantBroken` where the file were not valid.
    """
    ensure(0 < len(orders) <= ORDERS_MAX, f"a file has 1 to {ORDERS_MAX} orders")
    ensure(len({order.id for order in orders}) == len(orders), "every order has an id of its own")
    config = {
        "name": sepa_name(by.holder.name),
        "IBAN": by.holder.iban.text,
        "batch": True,
        "currency": EURO,
    }
    if by.bic:
        config["BIC"] = by.bic
    file = SepaTransfer(config, schema=SCHEMA, clean=False)
    for order in orders:
        file.add_payment(
            {
                "name": sepa_name(order.to.name),
                "IBAN": order.to.iban.text,
                "amount": order.money.amount_minor,
                "execution_date": due_on,
                "description": sepa_text(order.text),
                "endtoend_id": order.id,
            }
        )
    return finished(file.export(validate=False), schema=SCHEMA, batch_id=batch_id, made_at_ms=made_at_ms)
