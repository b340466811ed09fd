"""
Hold what a till can be asked to do with a palm: charge, refund or enrol.

Charges and refunds are told by the acquirer, amount and all; the till shows them as they are and adds nothing. An
enrolment begins at the till itself, with the code that the customer types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from handsel.order import Way

Amount = Annotated[int, msgspec.Meta(gt=0)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class ChargeAction(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="charge"
):
    """
    Ask for a palm that pays the payment `id`, or reserves its amount for at most `hold_s` seconds.
    """

    id: str
    amount_minor: Amount
    currency: Currency
    merchant: str
    description: str
    hold_s: Annotated[int, msgspec.Meta(ge=0)] = 0


class RefundAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="refund"):
    """
    Ask for a palm that takes the refund `id`.
    """

    id: str
    amount_minor: Amount
    currency: Currency
    merchant: str
    description: str


@dataclass(frozen=True)
class EnrolmentAction:
    """
    Ask for a palm to join to the wallet that `code` was given to, among all palms or with a card of its own.
    """

    id: str
    begun_ms: int
    code: str = field(repr=False)
    way: Way = Way.OPEN_HAND


ToldAction = ChargeAction | RefundAction
Action = ChargeAction | RefundAction | EnrolmentAction
