"""
Bound how often a till, an acquirer or a card may ask with palms, how often a PIN is tried, and how much is paid.

Each default says why it is what it is.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from handsel.errors import ConfigError

ASKS_PER_MINUTE_MAX = 100_000  # Bounds on what somebody types; what three matchers can answer is far below.
ASKS_REMEMBERED_MAX = 10_000
LOCK_S_LEAST = 1.0
FORGET_S_MAX = 30 * 24 * 3600.0
AMOUNT_MINOR_MAX = 52 * 4096  # What notes are made for at a time.
ALONE_NUMBER_MAX = 1000
PIN_DIGITS_LEAST = 4  # ISO 9564-1: a PIN has 4 to 12 digits.
PIN_DIGITS_MAX = 12


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


class AloneSince(StrEnum):
    """
    Name what is counted of payments without a second factor since the last one with it. The law has the issuer choose.
    """

    SUM = "sum"
    NUMBER = "number"


class PaymentLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound what one wallet pays, in minor units. What is paid alone is paid by palm, without PIN and passkey.

    Where a limit of what is paid alone is reached, a second factor is asked for; where one of the others is, nothing is
    paid. A customer may set lower ones for the own wallet. Why these defaults:

    * `alone_minor_max`: EUR 50, the most that Art. 11 of Regulation (EU) 2018/389 allows at a time.
    * `alone_since` says which of the two counters of Art. 11 holds: by sum, since few small payments, a coffee a day,
      are not interrupted every week.
    * `alone_since_minor_max` and `alone_since_number_max`: EUR 150 and five payments, as there.
    * `alone_per_day_minor_max`: EUR 150, so that who has copied a palm gets no more out of a day, even where its owner
      has just used a second factor.
    * `payment_minor_max`: EUR 500, more than a week's shopping; who buys a piano can pay otherwise.
    * `day_minor_max`: EUR 1000, two of those. A PIN that was watched loses no more before it is missed.
    """

    alone_minor_max: int = 50_00
    alone_since: AloneSince = AloneSince.SUM
    alone_since_minor_max: int = 150_00
    alone_since_number_max: int = 5
    alone_per_day_minor_max: int = 150_00
    payment_minor_max: int = 500_00
    day_minor_max: int = 1000_00

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that hold nothing. Raises `ConfigError`.
        """
        _require_count(self.payment_minor_max, name="payment_minor_max", most=AMOUNT_MINOR_MAX)
        _require_count(self.alone_minor_max, name="alone_minor_max", most=self.payment_minor_max)
        _require_count(self.alone_since_number_max, name="alone_since_number_max", most=ALONE_NUMBER_MAX)
        if self.day_minor_max < self.payment_minor_max:
            raise ConfigError("day_minor_max must not be less than payment_minor_max")
        _require_count(self.alone_per_day_minor_max, name="alone_per_day_minor_max", most=self.day_minor_max)
        if self.alone_since_minor_max < self.alone_minor_max:
            raise ConfigError("alone_since_minor_max must not be less than alone_minor_max")


class PinLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound the PIN: how short it may be, and how often it is tried at tills, for each wallet.

    A try counts as wrong until the PIN is known to be right. Why these defaults:

    * `digits_min`: six. A thief with the palm who tries once a day for a year finds one of a million with a chance of
      0.04 %, and one of ten thousand with 4 %.
    * `wrong_in_a_row_max`: three, as with cards.
    * `lock_s_min`, `lock_s_max`: five minutes, then twice as long after each wrong one, up to a day. A lock ends by
      itself, lest a stranger lock somebody out for ever; with the key of the wallet it ends at once.
    * `tries_per_minute_max`, `tries_per_day_max`: more than anybody types who knows the PIN.
    * `forget_s`: thirty days. Sooner, and it would pay to wait.
    """

    digits_min: int = 6
    wrong_in_a_row_max: int = 3
    tries_per_minute_max: int = 6
    tries_per_day_max: int = 50
    lock_s_min: float = 300.0
    lock_s_max: float = 24 * 3600.0
    forget_s: float = 30 * 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse a PIN of a length that there is not, and limits that would never lock. Raises `ConfigError`.
        """
        if not PIN_DIGITS_LEAST <= self.digits_min <= PIN_DIGITS_MAX:
            raise ConfigError(f"digits_min must lie between {PIN_DIGITS_LEAST} and {PIN_DIGITS_MAX}")
        _require_count(self.wrong_in_a_row_max, name="wrong_in_a_row_max", most=10)
        _require_count(self.tries_per_minute_max, name="tries_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        if not self.tries_per_minute_max <= self.tries_per_day_max <= ASKS_PER_MINUTE_MAX:
            raise ConfigError("tries_per_day_max must not be less than tries_per_minute_max")
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
