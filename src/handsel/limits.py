"""
Bound how often a till, an acquirer or a card may ask with palms. Each default says why it is what it is.
"""

from __future__ import annotations

import msgspec

from handsel.errors import ConfigError

ASKS_PER_MINUTE_MAX = 100_000  # Bounds on what somebody types; what three matchers can answer is far below.
ASKS_REMEMBERED_MAX = 10_000
LOCK_S_LEAST = 1.0
FORGET_S_MAX = 30 * 24 * 3600.0


class TillLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound how often one till may ask with a palm: whoever is told often enough whether a palm is enrolled can find one.

    A wrong ask is one in which nobody was found, that was no palm, or that came with a wrong code. Why these defaults:

    * `palms_per_minute_max`: a busy canteen is paid every 4 seconds, and half of its customers show their hand twice or
      a third time; nobody holds out a hand more often than every 2 seconds.
    * `palms_per_day_max`: three such hours, with every fourth hand shown twice. To change a vector until it is
      somebody's takes many thousands of answers, and so days or weeks.
    * `wrong_in_a_row_max`: three customers after one another whom the till does not know, three tries each.
    * `wrong_share_max` of the last `wrong_share_of`: a till in earnest misses a few of a hundred. This stops who asks
      with a palm that pays after every few that are nobody's.
    * `lock_s_min`, `lock_s_max`: the first lock is over when a customer has found another means to pay; after seven
      more wrong asks there is one an hour, so that 1000 tries, of which one may match somebody by chance, take a month.
    * `forget_s`: a day. Sooner, and it would pay to wait.
    """

    palms_per_minute_max: int = 30
    palms_per_day_max: int = 3500
    wrong_in_a_row_max: int = 10
    wrong_share_max: float = 0.5
    wrong_share_of: int = 100
    lock_s_min: float = 30.0
    lock_s_max: float = 3600.0
    forget_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that would never lock. Raises `ConfigError`.
        """
        _require_count(self.palms_per_minute_max, name="palms_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        if not self.palms_per_minute_max <= self.palms_per_day_max <= ASKS_PER_MINUTE_MAX * 24 * 60:
            raise ConfigError("palms_per_day_max must not be less than palms_per_minute_max, nor more than any day has")
        _require_share(self.wrong_share_max, of=self.wrong_share_of)
        _require_count(self.wrong_in_a_row_max, name="wrong_in_a_row_max", most=self.wrong_share_of)
        _require_lock(self.lock_s_min, self.lock_s_max, self.forget_s)


class AcquirerLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound how many answers of the match the issuer opens for one acquirer: it stops one that does not stop its tills.

    A wrong answer is one that matches nobody, or more than one. Why these defaults:

    * `answers_per_minute_max`: ten a second, the tills of forty busy canteens at once.
    * `wrong_share_max` of the last `wrong_share_of`: far above the few of a hundred that are normal. An acquirer that
      keeps `TillLimits` gets there with hundreds of bad tills, never with one.
    * `lock_s_min`, `lock_s_max`: short, since a lock stops every shop of the acquirer.
    * `forget_s`: a day, as for a till.
    """

    answers_per_minute_max: int = 600
    wrong_share_max: float = 0.5
    wrong_share_of: int = 1000
    lock_s_min: float = 10.0
    lock_s_max: float = 300.0
    forget_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that would never lock. Raises `ConfigError`.
        """
        _require_count(self.answers_per_minute_max, name="answers_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        _require_share(self.wrong_share_max, of=self.wrong_share_of)
        _require_lock(self.lock_s_min, self.lock_s_max, self.forget_s)


class CardLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound how often one card may be shown, so that who has found one cannot try hand after hand.

    Each time that a till shows a card, it may compare three palms. A card counts as shown in vain until a charge or a
    refund has come of it. Why these defaults:

    * `shown_per_minute_max`: somebody who pays twice in a minute, and shows the card three times for each.
    * `shown_per_day_max`: more than anybody pays in a day.
    * `in_vain_max`, in a row: two payments that do not come about, shown three times each. Eighteen palms of strangers
      pass with a chance of 0.2 % where each does with one in 10,000.
    * `lock_s_min`, `lock_s_max`: five minutes, then twice as long each time, up to a day.
    * `forget_s`: a week, in which a card that was found is usually missed.
    """

    shown_per_minute_max: int = 6
    shown_per_day_max: int = 200
    in_vain_max: int = 6
    lock_s_min: float = 300.0
    lock_s_max: float = 24 * 3600.0
    forget_s: float = 7 * 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that would never lock. Raises `ConfigError`.
        """
        _require_count(self.shown_per_minute_max, name="shown_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        if not self.shown_per_minute_max <= self.shown_per_day_max <= ASKS_PER_MINUTE_MAX * 24 * 60:
            raise ConfigError("shown_per_day_max must not be less than shown_per_minute_max, nor more than any day has")
        _require_count(self.in_vain_max, name="in_vain_max", most=ASKS_REMEMBERED_MAX // 2)
        _require_lock(self.lock_s_min, self.lock_s_max, self.forget_s)


def _require_count(count: int, *, name: str, most: int) -> None:
    if not 0 < count <= most:
        raise ConfigError(f"{name} must lie between 1 and {most}")


def _require_share(share: float, *, of: int) -> None:
    _require_count(of, name="wrong_share_of", most=ASKS_REMEMBERED_MAX)
    if not 0 < share < 1 or int(share * of) < 1:
        raise ConfigError("wrong_share_max is a share above 0 and below 1, of wrong_share_of at least one")


def _require_lock(lock_s_min: float, lock_s_max: float, forget_s: float) -> None:
    if not LOCK_S_LEAST <= lock_s_min <= lock_s_max:
        raise ConfigError(f"lock_s_min is at least {LOCK_S_LEAST:.0f}, and lock_s_max not less")
    if not lock_s_max + LOCK_S_LEAST <= forget_s <= FORGET_S_MAX:
        raise ConfigError(f"forget_s is more than lock_s_max, by a second or more, and at most {FORGET_S_MAX:.0f}")
