"""
Bound what simulated people do, far above what they do in a world: their limits have tests of their own.
"""

from __future__ import annotations

from handsel.limits import AcquirerLimits, TillLimits
from handsel.pay.limit import Limits
from handsel.pay.money import Money

TILL_LIMITS = TillLimits(palms_per_minute_max=2000, palms_per_day_max=1_000_000)
ACQUIRER_LIMITS = AcquirerLimits(answers_per_minute_max=10_000)
WALLET_LIMITS = Limits(per_payment=Money(50_00, "EUR"), per_day=Money(5_000_00, "EUR"))
