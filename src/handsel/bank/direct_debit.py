"""
Write a file of direct debits for the bank: pain.008.001.08, SEPA core, valid by its schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sepaxml import SepaDD

from handsel.bank.orders import ORDERS_MAX, DebitOrder, OwnAccount
from handsel.bank.pain import finished, sepa_name, sepa_text
from handsel.errors import ConfigError, ensure
from handsel.pay.money import EURO

SCHEMA = "pain.008.001.08"


def write_direct_debit(
    orders: Sequence[DebitOrder], *, by: OwnAccount, batch_id: str, due_on: date, made_at_ms: int
) -> bytes:
    """
    Return the file that asks the bank to collect all of `orders`: the same for the same orders.

    Raises `ConfigError` without a creditor identifier, `BodyInvalid` for a text that cannot be written, and
    `InvariantBroken` where the file were not valid.
    """
    if not by.creditor_id:
        raise ConfigError("who collects by direct debit has a creditor identifier: set creditor_id below [bank]")
    ensure(0 < len(orders) <= ORDERS_MAX, f"a file has 1 to {ORDERS_MAX} orders")
    ensure(len({order.id for order in orders}) == len(orders), "every order has an id of its own")
    config = {
        "name": sepa_name(by.holder.name),
        "IBAN": by.holder.iban.text,
        "batch": True,
        "creditor_id": by.creditor_id,
        "currency": EURO,
    }
    if by.bic:
        config["BIC"] = by.bic
    file = SepaDD(config, schema=SCHEMA, clean=False)
    for order in sorted(orders, key=lambda each: each.sequence):  # One block for each sequence, in this order.
        file.add_payment(
            {
                "name": sepa_name(order.by.name),
                "IBAN": order.by.iban.text,
                "amount": order.money.amount_minor,
                "type": order.sequence.value,
                "collection_date": due_on,
                "mandate_id": order.mandate_id,
                "mandate_date": order.signed_on,
                "description": sepa_text(order.text),
                "endtoend_id": order.id,
            }
        )
    return finished(file.export(validate=False), schema=SCHEMA, batch_id=batch_id, made_at_ms=made_at_ms)
