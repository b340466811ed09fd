"""
Know what is true of receipts: the part of `truth.py` that opens them as the wallet does, and looks at what they state.

1. A receipt key is one wallet's, and is given to one charge of that wallet; a charge has one key at most.
2. What comes for a key opens with the wallet's own key of that number, and is signed by the acquirer.
3. It states just the payment of that charge: its shop, its sum, its code, and the notes that the acquirer took for it.
4. What has come once stays as it is. What a till was told has arrived is there.
5. What a till sealed arrives sooner or later, unless its disk is lost before that.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handsel.errors import HandselError
from handsel.flows.issuing.deposit_receipt_keys import DEPOSIT_MAX
from handsel.receipt import PayersReceipt, Statement, derive_receipt_key, open_receipt, read_statement
from handsel.return_code import order_id_of
from handsel.till.acquirer import PaidAnswer, ReceiptBrought
from tests.simulation.acquirer_identity import IDENTITY

if TYPE_CHECKING:
    from tests.simulation.disk import Disk
    from tests.simulation.till_party import TillProcess
    from tests.simulation.truth import Truth
    from tests.simulation.world import World

ARRIVED_MS_MAX = 30_000  # Of all receipts that a till has, once it starts anew.
STEP_MS = 500


@dataclass(frozen=True)
class KeyRow:
    """
    Remember a receipt key as it stands on the issuer's disk.
    """

    wallet_id: str
    number: int | None
    charge_id: str | None
    digest: bytes | None
    is_kept: bool


@dataclass(frozen=True, repr=False)
class Opened:
    """
    Hold a receipt that a wallet has opened.
    """

    payment_id: str
    statement: Statement
    receipt: PayersReceipt


class Receipts:
    """
    Hold what is known of receipts, and compare.
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._keys: dict[str, KeyRow] = {}
        self._given: dict[str, str] = {}  # The receipt key of each charge.
        self._notes: dict[str, set[tuple[str, bytes]]] = defaultdict(set)  # By what an acquirer took them for.
        self._due: dict[str, set[str]] = defaultdict(set)  # Charges of each till of which it has to seal the receipt.
        self.opened: dict[str, Opened] = {}  # By payment.

    # What people and tills did.

    def told(self, till: TillProcess, charge_id: str, answer: object) -> None:
        """
        Hear what a till concludes of a charge: where it has papers, it has what it takes to seal a receipt.
        """
        if isinstance(answer, PaidAnswer) and answer.papers is not None:
            self._due[till.name].add(charge_id)

    def disk_lost(self, till: TillProcess) -> None:
        self._due[till.name].clear()

    def arrived(self, till: TillProcess, charge_id: str, brought: ReceiptBrought) -> None:
        """
        Hear that a till was told so.
        """
        row = self._keys.get(brought.receipt_id)
        has_come = row is not None and row.digest == hashlib.sha256(brought.sealed).digest()
        self._truth.require(has_come, "a till is told that a receipt has arrived, and another has or none")
        self._due[till.name].discard(charge_id)

    # What reached the disks.

    def note_taken(self, source_id: str, key_id: str, serial: bytes) -> None:
        self._notes[source_id].add((key_id, serial))

    def seen(self, disk: Disk, receipt_id: str, wallet_id: str, number: int | None, order_id: str | None) -> None:
        """
        See a receipt key that is new or has changed. The issuer knows its charge by an order id.
        """
        charge_id = None if order_id is None else self._truth.charge_ids.get(order_id, "")
        ((digest, sealed),) = disk.rows("SELECT digest, receipt FROM receipt_keys WHERE id = ?", receipt_id)
        now = KeyRow(wallet_id, number, charge_id, digest, sealed is not None)
        before = self._keys.get(receipt_id, replace(now, charge_id=None, digest=None, is_kept=False))
        require = self._truth.require
        require((before.wallet_id, before.number) == (wallet_id, number), "a receipt key changes its wallet")
        require(before.charge_id in (None, charge_id), "a receipt key is given to two charges")
        require(before.digest in (None, digest), "another receipt takes the place of one that has come")
        require(now.is_kept or not before.is_kept, "a receipt that has come is gone")
        self._keys[receipt_id] = now
        if charge_id is not None and before.charge_id is None:
            self._give(receipt_id, wallet_id, charge_id)
        if digest is not None and before.digest is None:
            require(now.is_kept == (number is not None), "a receipt is kept if there is a key that opens it")
        if sealed is not None and not before.is_kept and charge_id is not None and number is not None:
            self._open(sealed, wallet_id=wallet_id, number=number, charge_id=charge_id)

    def gone(self, receipt_id: str) -> None:
        self._truth.require(receipt_id not in self._keys, "a receipt key is gone, and with it what is sealed to it")

    def require_arrived(self) -> None:
        """
        Judge whether all receipts have come that tills had to seal.
        """
        self._truth.require(not any(self._due.values()), "a receipt that a till has to seal never reaches its wallet")

    def _give(self, receipt_id: str, wallet_id: str, charge_id: str) -> None:
        order, require = self._truth.orders.get(charge_id), self._truth.require
        require(charge_id not in self._given, "a charge is given two receipt keys")
        is_payer = order is not None and self._truth.world.wallets.get(order.palm) == wallet_id
        require(is_payer, "a charge is given another wallet's receipt key")
        self._given[charge_id] = receipt_id

    def _open(self, sealed: bytes, *, wallet_id: str, number: int, charge_id: str) -> None:
        try:
            key = derive_receipt_key(receipt_secret_of(self._truth.world, wallet_id), number)
            receipt = open_receipt(sealed, key=key)
            statement = read_statement(receipt.signed, signer=IDENTITY.public().sign)
        except HandselError as exc:
            self._truth.world.violated(f"a receipt does not open as it should: {exc.code}")
            return
        payment_id = self._truth.orders[charge_id].subject_id
        leads_to = self._truth.charge_ids.get(order_id_of(receipt.return_code, charge_id=charge_id))
        self._truth.require(leads_to == charge_id, "the return code of a receipt leads to another charge")
        self._compare(statement, charge_id=charge_id, payment_id=payment_id)
        self._truth.world.count("receipts")
        self.opened[payment_id] = Opened(payment_id, statement, receipt)

    def _compare(self, statement: Statement, *, charge_id: str, payment_id: str) -> None:
        truth, require = self._truth, self._truth.require
        notes = {(note.key_id, note.serial) for note in statement.notes}
        acquirer, shop = truth.world.shop_of(truth.payments[payment_id].owner)
        ((code, paid_ms),) = acquirer.disk.rows("SELECT receipt_code, paid_ms FROM payments WHERE id = ?", payment_id)
        require(statement.charge_id == charge_id, "a receipt states another charge")
        require(statement.amount_minor == truth.paid[payment_id], "a receipt states another sum than was paid")
        require(statement.shop == shop.name, "a receipt names another shop")
        require((statement.receipt_code, statement.paid_ms) == (code, paid_ms), "a receipt states another payment")
        require(notes == self._notes[charge_id], "a receipt names other notes than were taken")
        require(
            sum(truth.world.worth[key_id] for key_id, _ in notes) == statement.amount_minor, "its notes are the sum"
        )


def receipt_secret_of(world: World, wallet_id: str) -> bytes:
    """
    Return what a wallet's browser makes its receipt keys of.
    """
    return hashlib.sha256(f"{world.seed} {wallet_id}".encode()).digest()


def receipt_keys_of(world: World, wallet_id: str, *, first: int, count: int) -> tuple[bytes, ...]:
    """
    Return the public halves that a wallet deposits.
    """
    numbers, secret = range(first, first + min(count, DEPOSIT_MAX)), receipt_secret_of(world, wallet_id)
    return tuple(derive_receipt_key(secret, number).public_key().public_bytes_raw() for number in numbers)


def bring_all(world: World) -> None:
    """
    Start every till anew, which then brings what it has, and wait until nothing is left to bring.
    """
    schedule, waiting = world.schedule, sum(len(till.receipts_waiting()) for till in world.tills)
    for till in world.tills:
        till.crash(down_ms=0)
    until_ms = schedule.now_ms + ARRIVED_MS_MAX + 2_000 * waiting
    while schedule.now_ms < until_ms and world.broken is None:
        schedule.run_until(schedule.now_ms + STEP_MS)
        if all(till.is_up and till.has_brought_all() and not till.is_asking() for till in world.tills):
            break
    world.truth.receipts.require_arrived()
