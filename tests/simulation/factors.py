"""
Know what is true of second factors: the part of `truth.py` that looks at who may pay how much with what.

1. Without one, nobody pays more than is allowed at a time, nor more than is allowed since the last payment with one.
2. With a PIN pays only who typed the right one; that a PIN is wrong is said only of a wrong one.
3. With a passkey pays only who said yes to just that sum, once for each yes.
4. One charge tries one PIN. Each try counts as wrong, once, until it is known to be right, however often it is
   asked for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tests.simulation.disk import Disk
    from tests.simulation.truth import Truth

ALONE_MINOR_MAX = 50_00
ALONE_SINCE_MINOR_MAX = 150_00
REMEMBERED = 24  # Tries of which the issuer knows how they ended; this knows more of none.
LIVE = ("reserved", "approved")


@dataclass(frozen=True)
class Charged:
    """
    Remember one charge of a wallet as it stands.
    """

    state: str
    amount_minor: int
    factor: str | None


@dataclass
class Tries:
    """
    Count tries of PINs for one wallet, since its owner has unlocked them last.
    """

    begun: int = 0
    right: int = 0
    is_known: bool = True


class Factors:
    """
    Hold what is known of second factors, and compare.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._charges: dict[str, Charged] = {}
        self._of_wallet: dict[str, list[str]] = defaultdict(list)
        self._said_yes: dict[tuple[str, int], int] = defaultdict(int)
        self._checked: set[str] = set()  # Charges whose PIN was tried.
        self._open: dict[str, str] = {}  # The wallet of each check that is under way.
        self._tries: dict[str, Tries] = defaultdict(Tries)
        self._touched: set[str] = set()
        self._ended: set[str] = set()  # Checks that end with this commit.
        self._new: set[str] = set()  # Charges that begin with it.

    def says_yes(self, wallet_id: str, amount_minor: int) -> None:
        """
        Hear that an owner approves a sum.
        """
        self._said_yes[wallet_id, amount_minor] += 1

    def needs_unlocking(self, wallet_id: str) -> bool:
        return self._tries[wallet_id].begun >= REMEMBERED - 4

    # What reached the issuer's disk.

    def charged(
        self,
        charge_id: str,
        state: str,
        wallet_id: str | None,
        amount_minor: int,
        reason: str | None,
        factor: str | None,
    ) -> None:
        """
        See a charge, a new one or one that has changed.
        """
        is_new = charge_id not in self._charges
        self._charges[charge_id] = Charged(state, amount_minor, factor)
        if not is_new or wallet_id is None:
            return
        self._new.add(charge_id)
        if reason == "wrong_pin":
            self._truth.require(not self._is_right(charge_id), "the right PIN is called wrong")
        if state in LIVE:
            self._of_wallet[wallet_id].append(charge_id)
            self._judge(charge_id, wallet_id, amount_minor, factor)

    def check_begun(self, charge_id: str, wallet_id: str) -> None:
        self._truth.require(charge_id not in self._checked, "one charge tries two PINs, or one twice")
        self._checked.add(charge_id)
        self._open[charge_id] = wallet_id
        self._tries[wallet_id].begun += 1
        self._touched.add(wallet_id)

    def check_ended(self, charge_id: str) -> None:
        self._ended.add(charge_id)

    def unlocked(self, wallet_id: str) -> None:
        is_known = wallet_id not in self._open.values()
        self._tries[wallet_id] = Tries(is_known=is_known)

    def committed(self, disk: Disk) -> None:
        """
        See the end of a commit, and compare how often PINs were tried.
        """
        for charge_id in self._ended:
            wallet_id = self._open.pop(charge_id, "")
            self._touched.add(wallet_id)
            if charge_id in self._new and self._is_right(charge_id):
                self._tries[wallet_id].right += 1
        for wallet_id in self._touched:
            self._compare(disk, wallet_id)
        self._ended.clear()
        self._touched.clear()
        self._new.clear()

    def _judge(self, charge_id: str, wallet_id: str, amount_minor: int, factor: str | None) -> None:
        require = self._truth.require
        if factor is None:
            require(amount_minor <= ALONE_MINOR_MAX, "more is paid at a time than without a second factor may be")
            require(self._alone(wallet_id) <= ALONE_SINCE_MINOR_MAX, "more is paid in all than without one may be")
        elif factor == "pin":
            require(self._is_right(charge_id), "a payment is made with a PIN that is not right")
        else:
            require(self._said_yes[wallet_id, amount_minor] > 0, "a payment is approved that nobody said yes to")
            self._said_yes[wallet_id, amount_minor] -= 1

    def _alone(self, wallet_id: str) -> int:
        """
        Return what was paid, or is being paid, since the last second factor.
        """
        sum_minor = 0
        for charge_id in reversed(self._of_wallet[wallet_id]):
            each = self._charges[charge_id]
            if each.state in LIVE and each.factor is not None:
                break
            sum_minor += each.amount_minor if each.state in LIVE else 0
        return sum_minor

    def _is_right(self, charge_id: str) -> bool:
        order = self._truth.orders.get(charge_id)
        return order is not None and order.has_right_pin

    def _compare(self, disk: Disk, wallet_id: str) -> None:
        tries = self._tries[wallet_id]
        if not tries.is_known or tries.begun > REMEMBERED:
            return
        rows = disk.rows("SELECT asking FROM pin_tries WHERE wallet_id = ?", wallet_id)
        recent = msgspec.msgpack.decode(rows[0][0])["recent"] if rows else ""
        self._truth.require(len(recent) == tries.begun, "each try of a PIN counts once")
        self._truth.require(
            recent.count("o") == tries.right, "a right PIN is counted as wrong, or a wrong one as right"
        )
