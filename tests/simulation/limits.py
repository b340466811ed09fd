"""
Bound what simulated people do. What they pay alone since the last second factor is bounded as ever, and wrong PINs lock
for seconds; all else is far above what they do in a world, and has tests of its own.
"""

from __future__ import annotations

from handsel.limits import AcquirerLimits, PinLimits, TillLimits
from handsel.pay.limit import Limits
from handsel.pay.money import Money

TILL_LIMITS = TillLimits(palms_per_minute_max=2000, palms_per_day_max=1_000_000)
ACQUIRER_LIMITS = AcquirerLimits(answers_per_minute_max=10_000)
PIN_LIMITS = PinLimits(
    tries_per_minute_max=10_000, tries_per_day_max=100_000, lock_s_min=2.0, lock_s_max=20.0, forget_s=24 * 3600.0
)
WALLET_LIMITS = Limits(
    alone_per_payment=Money(50_00, "EUR"),
    alone_since=Money(150_00, "EUR"),
    alone_per_day=Money(1_000_000_00, "EUR"),
    per_payment=Money(500_00, "EUR"),
    per_day=Money(1_000_000_00, "EUR"),
)
