"""
Hold what every flow of the acquirer stands on: its books, the parties that it asks, and the bounds that it keeps.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from handsel.errors import ensure
from handsel.flows.acquiring.announced_keys import AnnouncedKeys
from handsel.flows.acquiring.ports import Issuer, Matchers
from handsel.ids import ID_BYTES
from handsel.keys import PartyKeys
from handsel.limits import TillLimits
from handsel.notes.denomination import NOTES_MAX
from handsel.pay.asking import AskingLimits
from handsel.pay.tip import TipOffer
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.tree import Tree


def limits_of_till(settings: TillLimits) -> AskingLimits:
    """
    Return how often a till may ask with palms, as the settings say.
    """
    return AskingLimits(
        per_minute_max=settings.palms_per_minute_max,
        per_day_max=settings.palms_per_day_max,
        wrong_in_a_row_max=settings.wrong_in_a_row_max,
        wrong_max=int(settings.wrong_share_max * settings.wrong_share_of),
        wrong_of=settings.wrong_share_of,
        lock_ms_min=round(settings.lock_s_min * 1000),
        lock_ms_max=round(settings.lock_s_max * 1000),
        forget_ms=round(settings.forget_s * 1000),
    )


@dataclass(frozen=True)
class AcquiringBounds:
    """
    Name the acquirer's bounds, each with the value that it has unless a setting says otherwise.
    """

    shown_ms_max: int = 600_000  # How long a till shows what a merchant asked for.
    charges_declined_max: int = 10  # Of a payment or refund, which is canceled then: a till is no oracle for palms.
    # Half of the 30 s in which every payment has an end (tests/wiring/test_final_state.py adds them up): more than a
    # match and the issuer take. A charge that meets every timeout may be voided on its way, which is an end, too.
    unresolved_ms_min: int = 15_000
    resolve_batch_max: int = 100
    redeem_notes_max: int = NOTES_MAX  # In one redemption.
    redemptions_max: int = 50  # In one go.
    enrolment_ms_max: int = 60_000  # After that, an enrolment of which nothing was heard may be sent again.
    list_max: int = 100  # Payments on one page.
    disputes_max: int = 5  # Of one payment, ever: whoever has its receipt cannot keep its shop busy.

    def __post_init__(self) -> None:
        """
        Refuse a bound that would let nothing through, or more than the issuer takes. Raises `InvariantBroken`.
        """
        bounds = (self.shown_ms_max, self.charges_declined_max, self.unresolved_ms_min, self.resolve_batch_max)
        more = (self.redeem_notes_max, self.redemptions_max, self.enrolment_ms_max, self.list_max, self.disputes_max)
        ensure(all(bound > 0 for bound in (*bounds, *more)), "every bound is above zero")
        ensure(self.redeem_notes_max <= NOTES_MAX, "the issuer takes at most NOTES_MAX notes at once")


@dataclass(frozen=True, repr=False)
class Acquirer:
    """
    Join the acquirer's books with the parties that it asks. `random_bytes` makes ids, serials and shuffles;
    `asking` bounds how often each till asks with palms, `palm_minor_max` what the merchant of an id takes at a time;
    `tips` are those that a merchant offers unless a payment says otherwise; `identity` signs receipts, and
    `tree` proves what is in the ledger.
    """

    store: AcquirerDatabase
    matchers: Matchers
    issuer: Issuer
    keys: AnnouncedKeys
    tree: Tree = field(kw_only=True)
    bounds: AcquiringBounds = field(default_factory=AcquiringBounds)
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    asking: AskingLimits = field(default_factory=lambda: limits_of_till(TillLimits()))
    palm_minor_max: Mapping[str, int] = field(default_factory=dict)
    tips: Mapping[str, TipOffer] = field(default_factory=dict)
    _: KW_ONLY
    identity: PartyKeys

    def new_id(self) -> str:
        """
        Return a fresh random id: 128 bits.
        """
        return self.random_bytes(ID_BYTES).hex()

    def naming_secret(self, merchant_id: str) -> bytes:
        """
        Return the secret by which a shop's tills find the payers who want the shop named: 32 bytes.
        """
        # Derived and not drawn, so that a stolen database has none of them.
        key = hashlib.sha256(b"handsel/v1/acquirer\0" + self.identity.sign.private_bytes_raw()).digest()
        return hmac.digest(key, b"naming-secret\0" + merchant_id.encode(), "sha256")
