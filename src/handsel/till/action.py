"""
Hold what a till can be asked to do with a palm: charge, refund or enrol.

Charges and refunds are told by the acquirer, amount and all; the till shows them as they are and adds nothing. An
enrolment begins at the till itself, with the code that the customer types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from handsel.errors import BodyInvalid
from handsel.order import Way

TIPS_MAX = 3  # As many as fit the screen.

CODE_CHARS_MAX = 32  # Of what is typed; a code has eight digits.

Amount = Annotated[int, msgspec.Meta(gt=0)]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class TipChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Offer one tip; `percent` is what it was computed from, or 0.
    """

    amount_minor: Amount
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class ChargeAction(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="charge"
):
    """
    Ask for a palm that pays the payment `id`, or reserves its amount for at most `hold_s` seconds.

    The customer may add one of `tips`, or another amount up to `tip_minor_max`. What was added is `tip_minor`: that is
    said at the till alone, and an acquirer that says it is not listened to.
    """

    id: str
    amount_minor: Amount
    currency: Currency
    merchant: str
    description: str
    hold_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    tips: Annotated[tuple[TipChoice, ...], msgspec.Meta(max_length=TIPS_MAX)] = ()
    tip_minor_max: Annotated[int, msgspec.Meta(ge=0)] = 0
    tip_minor: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def total_minor(self) -> int:
        """
        Return what the palm is asked for: the amount with the tip.
        """
        return self.amount_minor + self.tip_minor

    def with_tip(self, tip_minor: int) -> ChargeAction:
        """
        Return the same charge with this tip. Raises `BodyInvalid` where it is more than the charge allows.
        """
        if not 0 <= tip_minor <= self.tip_minor_max:
            raise BodyInvalid("that is no tip, or more than may be added here: choose another")
        return msgspec.structs.replace(self, tip_minor=tip_minor)


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


def typed_code(code: str) -> str:
    """
    Return a code as it was given, of what somebody typed. Raises `BodyInvalid` for what is none.
    """
    typed = "".join(code.split())
    if not 0 < len(typed) <= CODE_CHARS_MAX or not typed.isalnum() or not typed.isascii():
        raise BodyInvalid("type the code as it stands in your wallet")
    return typed
