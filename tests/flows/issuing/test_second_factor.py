"""
Promise that beyond the limits a PIN pays, the right one alone, counted once, and that nothing resets the count but it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import pytest

from handsel.errors import BodyInvalid, IdReused, StoreCorrupt, Unavailable
from handsel.flows.issuing.approved import Approved, Reserved, Voided
from handsel.flows.issuing.charge import HOLD_MS
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.erase_palm import erase_palm
from handsel.flows.issuing.pin_hash import PinHasher
from handsel.flows.issuing.set_pin import set_own_limits, set_pin, unlock_pin
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.ids import new_id
from handsel.order import ChargeOrder, pad_pin
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.limit import DAY_MS, OwnLimits
from handsel.store import issuer_limit as limits
from handsel.store import issuer_pin as pins
from tests.flows.issuing.scene import ACQUIRER, Scene, at_once, crash, send

PIN, WRONG = "402917", "402918"
MUCH = 73_20
NEEDED = Declined(DeclineReason.NEEDS_SECOND_FACTOR)
WRONG_PIN = Declined(DeclineReason.WRONG_PIN)
LOCKED = Declined(DeclineReason.PIN_LOCKED)


@pytest.fixture
def engine() -> str:
    """
    The database, for these many cases: that it is the same on both is for the tests of the store.
    """
    return "sqlite"


def typed(pin: str) -> Callable[[ChargeOrder], ChargeOrder]:
    return lambda order: msgspec.structs.replace(order, pin=pad_pin(pin))


def owner(scene: Scene, minor: int = 500_00, *, palm: str = "ada") -> str:
    """
    Return the wallet of somebody with a PIN.
    """
    wallet = scene.payer(palm, minor)
    set_pin(scene.issuer, wallet, typed=PIN)
    return wallet


def pay(
    scene: Scene, minor: int = MUCH, pin: str | None = None, *, palm: str | None = "ada"
) -> Approved | Declined | Reserved:
    return scene.charge(scene.show(palm, minor) if pin is None else scene.show(palm, minor, alter=typed(pin)))


def wrong_tries(scene: Scene, wallet: str) -> int:
    with scene.issuer.database.unit_of_work() as uow:
        return pins.find_tries(uow, wallet).recent.count("x")


@dataclass
class CountingHasher(PinHasher):
    """
    Count how often a PIN is compared.
    """

    inner: PinHasher
    compared: int = 0

    def is_right(self, pin: str, *, stored: str | None) -> bool:
        self.compared += 1
        return self.inner.is_right(pin, stored=stored)


def counting(scene: Scene) -> CountingHasher:
    hasher = CountingHasher(scene.issuer.factors.pins)
    scene.issuer = replace(scene.issuer, factors=replace(scene.issuer.factors, pins=hasher))
    return hasher


def test_beyond_the_limit_the_right_pin_pays_exactly_this_and_no_other(scene: Scene) -> None:
    wallet = owner(scene)

    assert pay(scene) == NEEDED
    assert isinstance(pay(scene, MUCH, PIN), Approved)
    assert pay(scene) == NEEDED
    assert scene.balance(wallet) == 500_00 - MUCH


def test_no_pin_pays_more_than_the_most_at_a_time(scene: Scene) -> None:
    owner(scene)

    assert pay(scene, 500_01, PIN) == Declined(DeclineReason.OVER_LIMIT)
    assert isinstance(pay(scene, 500_00, PIN), Approved)


def test_no_pin_pays_more_than_the_most_in_a_day(scene: Scene) -> None:
    wallet = owner(scene)
    set_own_limits(scene.issuer, wallet, OwnLimits(per_day_minor=100_00))
    assert isinstance(pay(scene, 60_00, PIN), Approved)

    assert pay(scene, 40_01, PIN) == Declined(DeclineReason.OVER_LIMIT)
    assert isinstance(pay(scene, 40_00, PIN), Approved)


def test_a_pin_begins_the_count_anew_and_nothing_else_does(scene: Scene) -> None:
    """
    Neither another day, nor a refund, nor another palm after the first was deleted.
    """
    wallet = owner(scene)
    spent = [scene.buy("ada", 50_00) for _ in range(3)]
    scene.now_ms += 2 * DAY_MS
    assert pay(scene, 1_00) == NEEDED
    scene.refund("ada", scene.refund_order(50_00), spent[0])
    assert pay(scene, 1_00) == NEEDED
    erase_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)
    scene.enrol(wallet, "ada's other hand")
    assert pay(scene, 1_00, palm="ada's other hand") == NEEDED

    assert isinstance(pay(scene, 1_00, PIN, palm="ada's other hand"), Approved)
    assert isinstance(pay(scene, 50_00, palm="ada's other hand"), Approved)


def test_where_payments_are_counted_the_sixth_needs_the_pin(scene: Scene) -> None:
    owner(scene)
    scene.issuer = replace(scene.issuer, limits=replace(scene.issuer.limits, alone_since=5))
    for _ in range(5):
        assert isinstance(pay(scene, 1), Approved)

    assert pay(scene, 1) == NEEDED
    assert isinstance(pay(scene, 1, PIN), Approved)
    assert isinstance(pay(scene, 1), Approved)


def test_a_pin_that_was_not_needed_is_not_looked_at_and_begins_nothing(scene: Scene) -> None:
    wallet = owner(scene)
    hasher = counting(scene)
    for _ in range(3):
        assert isinstance(pay(scene, 50_00, WRONG), Approved)

    assert (hasher.compared, wrong_tries(scene, wallet)) == (0, 0)
    assert pay(scene, 1) == NEEDED


def test_a_charge_with_a_pin_that_was_voided_begins_nothing(scene: Scene) -> None:
    owner(scene)
    for _ in range(3):
        scene.buy("ada", 50_00)
    scene.now_ms += DAY_MS
    shown = scene.show("ada", 1_00, alter=typed(PIN))
    crash(scene, partial(send, shown=shown), at=1, is_committed=True)
    scene.now_ms += 1
    assert isinstance(pay(scene, 1_00), Approved)  # Counted from the one under way.

    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    assert pay(scene, 1_00) == NEEDED


def test_limits_of_ones_own_ask_earlier(scene: Scene) -> None:
    wallet = owner(scene)
    set_own_limits(scene.issuer, wallet, OwnLimits(alone_per_payment_minor=5_00, per_payment_minor=20_00))

    assert isinstance(pay(scene, 5_00), Approved)
    assert pay(scene, 5_01) == NEEDED
    assert pay(scene, 20_01, PIN) == Declined(DeclineReason.OVER_LIMIT)
    with pytest.raises(BodyInvalid, match=r"500\.00 EUR"):
        set_own_limits(scene.issuer, wallet, OwnLimits(per_payment_minor=500_01))


def test_wrong_pins_lock_for_longer_and_longer_and_the_right_one_does_not_pay_meanwhile(scene: Scene) -> None:
    owner(scene)
    for _ in range(3):
        assert pay(scene, MUCH, WRONG) == WRONG_PIN
    assert pay(scene, MUCH, PIN) == LOCKED

    scene.now_ms += 300_000
    assert pay(scene, MUCH, WRONG) == WRONG_PIN
    scene.now_ms += 600_000 - 1
    assert pay(scene, MUCH, PIN) == LOCKED
    scene.now_ms += 1
    assert isinstance(pay(scene, MUCH, PIN), Approved)
    assert pay(scene, MUCH, WRONG) == WRONG_PIN


def test_however_many_are_wrong_no_lock_is_longer_than_a_day(scene: Scene) -> None:
    owner(scene)
    for _ in range(15):
        pay(scene, MUCH, WRONG)
        scene.now_ms += DAY_MS

    assert isinstance(pay(scene, MUCH, PIN), Approved)


def test_who_tries_between_the_owners_payments_is_stopped_nevertheless(scene: Scene) -> None:
    owner(scene)
    for _ in range(6):
        assert [pay(scene, 51_00, WRONG) for _ in range(2)] == [WRONG_PIN] * 2
        assert isinstance(pay(scene, 51_00, PIN), Approved)
        scene.now_ms += DAY_MS
    assert pay(scene, MUCH, WRONG) == WRONG_PIN

    assert pay(scene, MUCH, WRONG) == LOCKED


def test_with_the_key_of_the_wallet_a_lock_ends_at_once(scene: Scene) -> None:
    wallet = owner(scene)
    for _ in range(3):
        pay(scene, MUCH, WRONG)
    assert pay(scene, MUCH, PIN) == LOCKED

    unlock_pin(scene.issuer, wallet)

    assert isinstance(pay(scene, MUCH, PIN), Approved)


def test_a_lock_of_the_pin_does_not_touch_what_the_palm_pays_alone(scene: Scene) -> None:
    owner(scene)
    for _ in range(3):
        pay(scene, MUCH, WRONG)

    assert isinstance(pay(scene, 50_00), Approved)


def test_a_wallet_without_a_pin_answers_as_one_with_another(scene: Scene) -> None:
    scene.payer("ada", 500_00)
    hasher = counting(scene)

    assert [pay(scene, MUCH, PIN) for _ in range(4)] == [WRONG_PIN, WRONG_PIN, WRONG_PIN, LOCKED]
    assert hasher.compared == 3  # It takes as long, too.


@pytest.mark.parametrize(("palm", "reason"), [(None, "not_recognised"), ("ada+bob", "ambiguous")])
def test_who_has_no_palm_that_pays_learns_nothing_of_any_pin(scene: Scene, palm: str | None, reason: str) -> None:
    wallets = [owner(scene), owner(scene, palm="bob")]
    hasher = counting(scene)

    for pin in (PIN, WRONG, None):
        assert pay(scene, MUCH, pin, palm=palm) == Declined(DeclineReason(reason))
    assert hasher.compared == 0
    assert [wrong_tries(scene, wallet) for wallet in wallets] == [0, 0]


def test_without_the_right_pin_nobody_learns_whether_there_is_as_much(scene: Scene) -> None:
    owner(scene, 60_00)

    assert pay(scene, MUCH) == NEEDED
    assert pay(scene, MUCH, WRONG) == WRONG_PIN
    assert pay(scene, MUCH, PIN) == Declined(DeclineReason.INSUFFICIENT_FUNDS)


def test_the_same_wrong_try_is_counted_once_however_often_it_comes(scene: Scene) -> None:
    wallet = owner(scene)
    hasher = counting(scene)
    shown = scene.show("ada", MUCH, alter=typed(WRONG))

    assert [scene.charge(shown) for _ in range(5)] == [WRONG_PIN] * 5
    assert (hasher.compared, wrong_tries(scene, wallet)) == (1, 1)


def test_one_id_tries_one_pin(scene: Scene) -> None:
    """
    Otherwise a million PINs could be tried under one id, and one be counted.
    """
    owner(scene)
    wrong = scene.show("ada", MUCH, alter=typed(WRONG))
    right = scene.show("ada", MUCH, alter=lambda order: typed(PIN)(_named(order, wrong.charge_id)))
    crash(scene, partial(send, shown=wrong), at=0, is_committed=True)  # Its check is under way.

    with pytest.raises(IdReused):
        scene.charge(right)
    assert scene.charge(wrong) == WRONG_PIN
    with pytest.raises(IdReused):
        scene.charge(right)


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("is_committed", [False, True])
def test_wherever_it_crashes_the_same_request_pays_once_and_its_try_is_counted_once(
    scene: Scene, at: int, is_committed: bool
) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    crash(scene, partial(send, shown=shown), at=at, is_committed=is_committed)
    assert wrong_tries(scene, wallet) == ((at, is_committed) in {(0, True), (1, False)})

    assert isinstance(scene.charge(shown), Approved)
    assert scene.balance(wallet) == 500_00 - MUCH
    assert wrong_tries(scene, wallet) == 0


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("is_committed", [False, True])
def test_wherever_it_crashes_a_wrong_try_is_counted_once(scene: Scene, at: int, is_committed: bool) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(WRONG))
    crash(scene, partial(send, shown=shown), at=at, is_committed=is_committed)

    assert scene.charge(shown) == WRONG_PIN
    assert wrong_tries(scene, wallet) == 1


def test_a_try_that_a_crash_cut_off_stays_counted_and_its_check_is_forgotten(scene: Scene) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    crash(scene, partial(send, shown=shown), at=0, is_committed=True)

    assert void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER) == Voided()

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert wrong_tries(scene, wallet) == 1


def test_a_check_that_nobody_comes_back_for_ends_with_its_charge_and_its_try_is_never_counted_again(
    scene: Scene,
) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    crash(scene, partial(send, shown=shown), at=0, is_committed=True)
    for wait_ms, is_there in ((HOLD_MS, True), (1, False)):
        scene.now_ms += wait_ms
        expire_charges(scene.issuer)
        with scene.issuer.database.unit_of_work() as uow:
            assert (pins.find_check(uow, shown.charge_id) is not None) == is_there

    assert scene.charge(shown) == Declined(DeclineReason.VOIDED)
    assert (wrong_tries(scene, wallet), scene.balance(wallet)) == (1, 500_00)


@dataclass
class Meanwhile(PinHasher):
    """
    Let something happen while a PIN is compared.
    """

    inner: PinHasher
    act: Callable[[], object]

    def is_right(self, pin: str, *, stored: str | None) -> bool:
        self.act()
        return self.inner.is_right(pin, stored=stored)


@pytest.mark.parametrize(("what", "reason"), [("close", "wallet_closed"), ("void", "voided"), ("forget", "voided")])
def test_what_happens_while_a_pin_is_compared_counts(scene: Scene, what: str, reason: str) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))

    def forget() -> None:
        scene.now_ms += HOLD_MS + 1
        expire_charges(scene.issuer)

    acts: dict[str, Callable[[], object]] = {
        "close": lambda: close_wallet(scene.issuer, wallet),
        "void": lambda: void_charge(scene.issuer, shown.charge_id, acquirer=ACQUIRER),
        "forget": forget,
    }
    waiting = Meanwhile(scene.issuer.factors.pins, acts[what])
    slow = replace(scene.issuer, factors=replace(scene.issuer.factors, pins=waiting))

    assert send(slow, shown) == Declined(DeclineReason(reason))
    assert scene.circulating() == 0


def test_a_day_that_is_spent_while_a_pin_is_compared_is_spent(scene: Scene) -> None:
    wallet = owner(scene)
    set_own_limits(scene.issuer, wallet, OwnLimits(per_day_minor=100_00))
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    waiting = Meanwhile(scene.issuer.factors.pins, lambda: pay(scene, 50_00))
    slow = replace(scene.issuer, factors=replace(scene.issuer.factors, pins=waiting))

    assert send(slow, shown) == Declined(DeclineReason.OVER_LIMIT)


def test_the_database_is_free_while_a_pin_is_compared(scene: Scene) -> None:
    owner(scene)
    bystander = scene.payer("bob", 10_00)
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    waiting = Meanwhile(scene.issuer.factors.pins, lambda: pay(scene, 1_00, palm="bob"))
    slow = replace(scene.issuer, factors=replace(scene.issuer.factors, pins=waiting))

    assert isinstance(send(slow, shown), Approved)
    assert scene.balance(bystander) == 9_00


def test_a_double_tap_with_a_pin_debits_once(scene: Scene) -> None:
    wallet = owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))

    first, second = at_once(partial(scene.charge, shown), partial(scene.charge, shown))

    assert isinstance(first, Approved)
    assert first == second
    assert scene.balance(wallet) == 500_00 - MUCH


class Busy(PinHasher):
    """
    Have no turn for anybody.
    """

    def __init__(self) -> None: ...

    def is_right(self, pin: str, *, stored: str | None) -> bool:
        raise Unavailable("too many PINs are checked just now")


def test_where_too_many_are_checked_the_same_request_may_come_again(scene: Scene) -> None:
    owner(scene)
    shown = scene.show("ada", MUCH, alter=typed(PIN))
    with pytest.raises(Unavailable):
        send(replace(scene.issuer, factors=replace(scene.issuer.factors, pins=Busy())), shown)

    assert isinstance(scene.charge(shown), Approved)


@pytest.mark.parametrize("malformed", [b"", b"1234", b"12\x00456".ljust(16, b"\0"), b"\xff" * 16, b"1" * 17])
def test_an_order_with_no_pin_in_the_place_of_one_is_refused(scene: Scene, malformed: bytes) -> None:
    owner(scene)

    shown = scene.show("ada", 1_00, alter=lambda order: msgspec.structs.replace(order, pin=malformed))

    with pytest.raises(BodyInvalid):
        scene.charge(shown)


def test_nothing_that_is_stored_gives_the_pin_away(scene: Scene) -> None:
    wallet = owner(scene)
    pay(scene, MUCH, PIN)
    with scene.issuer.database.unit_of_work() as uow:
        stored = pins.find_pin(uow, wallet)
    assert stored is not None

    assert PIN not in stored.hash
    assert stored.hash.startswith("$argon2id$")
    with pytest.raises(StoreCorrupt):
        scene.issuer.factors.pins.is_right(PIN, stored="no hash")


def test_a_closed_wallet_has_neither_pin_nor_limits_of_its_own(scene: Scene) -> None:
    wallet = owner(scene)
    pay(scene, MUCH, WRONG)
    set_own_limits(scene.issuer, wallet, OwnLimits(1, 2, 3))

    close_wallet(scene.issuer, wallet)

    with scene.issuer.database.unit_of_work() as uow:
        assert pins.find_pin(uow, wallet) is None
        assert pins.find_tries(uow, wallet).recent == ""
        assert limits.find_own_limits(uow, wallet) == OwnLimits()


def _named(order: ChargeOrder, charge_id: str) -> ChargeOrder:
    return msgspec.structs.replace(order, order_id=charge_id or new_id())
