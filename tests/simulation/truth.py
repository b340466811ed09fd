"""
Know what is true of all money, and find whatever differs: at every commit of every party, and in full in every calm.

It is told what people did, and it watches the rows that reach the disks. It shares no rule with the code it judges.

1. Debits equal credits; no wallet, merchant or circulation is below zero; balances follow from transfers.
2. Nobody is debited but whoever held out the palm, for just the sum shown, at most once for a payment.
3. A payment succeeds only after its customer was debited; a refund only after the customer was credited.
4. What a till or a merchant was told stays true: paid stays paid, and what came to nothing never debits.
5. What is final never changes; an id never stands for something else.
6. No note is redeemed twice, and each is credited with its worth. No more is paid back than was paid.
7. An acquirer has the order id of a charge for just as long as that is under way.

Charges go by the id that tills and acquirers have. The issuer knows each by its order id; which belong together is told
by the tills.

What is true of reservations and tips stands in `reserved.py`, of second factors in `factors.py`, of receipts in
`receipts.py`, of what is paid back by receipt and of disputes in `returns.py`, of what is at a bank in `banked.py`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handsel.order import ChargeOrder, RefundOrder, pad_pin
from handsel.pay.ledger import derive_id
from handsel.till.acquirer import DeclinedAnswer, PaidAnswer, RefundedAnswer, ReservedAnswer
from handsel.till.journal import ChargeEntry
from handsel.till.settle import NothingDone, OpenCharge, OpenRefund, OpenRequest, Outcome
from tests.simulation.banked import Banked
from tests.simulation.factors import Factors
from tests.simulation.receipts import Receipts
from tests.simulation.reserved import Reserved
from tests.simulation.returns import Returns
from tests.simulation.set_up import pin_of

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.disk import Disk, Seen
    from tests.simulation.issuer_party import IssuerProcess
    from tests.simulation.till_party import TillProcess
    from tests.simulation.world import World

FINAL = frozenset(
    {"succeeded", "canceled", "paid", "declined", "voided", "signed", "credited", "approved at the issuer"}
    | {"refunded", "refused", "withdrawn"}
)
NEVER_BELOW_ZERO = ("wallet:", "merchant:", "notes_in_circulation:", "settlement:street")


@dataclass(frozen=True)
class Ordered:
    """
    Remember what was asked for with one palm: of a payment, or of a refund.
    """

    subject_id: str
    amount_minor: int
    palm: int
    is_hold: bool = False
    has_right_pin: bool = False


@dataclass(frozen=True)
class Asked:
    """
    Remember what an id stands for at the acquirer.
    """

    amount_minor: int
    owner: str


class Truth:
    """
    Hold what is known, and compare.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.orders: dict[str, Ordered] = {}  # By charge.
        self.order_ids: dict[str, str] = {}  # By charge.
        self.charge_ids: dict[str, str] = {}  # By order id.
        self.reservations: dict[str, str] = {}  # The charge of each.
        self.orders_back: dict[str, Ordered] = {}
        self.order_ids_back: set[str] = set()  # What the issuer knows attempts by, and no acquirer keeps.
        self.debited: dict[str, str] = {}  # Payments, by charge.
        self.debits: dict[str, str] = {}  # Charges, by payment.
        self.credited: dict[str, str] = {}  # Refunds, by attempt.
        self.came_to_nothing: set[str] = set()  # Charges and attempts of which a till was told so.
        self.status: dict[tuple[str, str], str] = {}
        self.payments: dict[str, Asked] = {}
        self.refunds: dict[str, Asked] = {}
        self.refunded: dict[str, int] = defaultdict(int)
        self.paid: dict[str, int] = defaultdict(int)  # What was debited for each payment.
        self.reserved = Reserved(self)
        self.factors = Factors(self)
        self.receipts = Receipts(self)
        self.returns = Returns(self)
        self.banked = Banked(self)
        self.redeemed: set[bytes] = set()
        self.top_ups: dict[str, int] = {}
        self.balances: dict[int, int] = defaultdict(int)
        self.names: dict[int, str] = {}
        self.held: set[bytes] = set()

    # What people did.

    def ordered(self, order: ChargeOrder, entry: ChargeEntry, *, till: TillProcess, palm: int) -> None:
        charge_id, payment_id = entry.charge_id, entry.action.id
        self.order_ids[charge_id], self.charge_ids[order.order_id] = order.order_id, charge_id
        has_right_pin = order.pin == pad_pin(pin_of(palm))
        self.orders[charge_id] = Ordered(
            payment_id, order.amount_minor, palm, is_hold=order.hold_s > 0, has_right_pin=has_right_pin
        )
        asked = self.payments.get(payment_id)
        self.require(asked is not None, "a palm pays what nobody asked for")
        if asked is not None:
            tips = {0, till.tips.get(payment_id, 0)}
            self.reserved.chosen(
                total_minor=order.amount_minor,
                amount_minor=asked.amount_minor,
                shown_minor=till.shown_minor,
                tips=tips,
            )
        self.reservations[derive_id("charge", order.order_id)] = charge_id

    def ordered_back(self, order: RefundOrder, refund_id: str, *, attempt_id: str, palm: int) -> None:
        self.goes_back(order.order_id, refund_id, attempt_id=attempt_id, amount_minor=order.amount_minor, palm=palm)

    def goes_back(self, order_id: str, refund_id: str, *, attempt_id: str, amount_minor: int, palm: int) -> None:
        """
        Hear that the owner of a palm, shown or not, is to be credited.
        """
        self.orders_back[attempt_id] = Ordered(refund_id, amount_minor, palm)
        self.order_ids_back.add(order_id)
        self.reservations[derive_id("refund", order_id)] = attempt_id

    def told(self, request: OpenRequest, outcome: Outcome) -> None:
        """
        Hear what a till concludes of a request.
        """
        is_refund = isinstance(request, OpenRefund)
        if not isinstance(request, OpenCharge | OpenRefund):
            return
        if isinstance(outcome, PaidAnswer | RefundedAnswer):
            kind, subject = ("refund", request.action.id) if is_refund else ("payment", request.action.id)
            self.require(self.status.get((kind, subject)) == "succeeded", "a till says paid of what is in no books")
            self.require(request.id not in self.came_to_nothing, "a till says paid of what came to nothing")
        elif isinstance(outcome, DeclinedAnswer | NothingDone):
            was_moved = request.id in (self.credited if is_refund else self.debited)
            was_moved = was_moved or request.id in self.reserved.open.values()
            self.require(not was_moved, "a till says that nothing was paid, and money moved")
            self.came_to_nothing.add(request.id)
        elif isinstance(outcome, ReservedAnswer):
            self.require(request.id in self.reserved.held, "a till says reserved of what is not")
            self.require(request.id not in self.came_to_nothing, "a till says reserved of what came to nothing")

    def told_merchant(self, payment_id: str, status: str) -> None:
        """
        Hear what a merchant's till or page is told of a payment.
        """
        if status in ("succeeded", "canceled"):
            self.require(self.status.get(("payment", payment_id)) == status, "a merchant is told what is in no books")

    def told_of_refund(self, refund_id: str, status: str) -> None:
        """
        Hear what a shop is told of a refund.
        """
        if status in ("succeeded", "canceled"):
            self.require(self.status.get(("refund", refund_id)) == status, "a shop is told what is in no books")

    # What reached the disks.

    def see_issuer(self, process: IssuerProcess, seen: Seen) -> None:
        """
        Judge one commit of the issuer.
        """
        disk = process.disk
        redeems_minor = credited_minor = 0
        for what, a, b, c, d, e, f in seen:
            if what in ("charge", "hold", "check", "check ended"):
                a = self.charge_ids.get(a, a)
            if what == "transfer":
                self.reserved.moved(b, a, c, e, f)
            if what == "transfer" and b in ("post", "capture"):
                self._move(disk, c, d, e)
                self.banked.moved(self.names[c], self.names[d], e)
                kind = self.names[c].split(":")[0], self.names[d].split(":")[0]
                if kind == ("wallet", "notes_in_circulation"):
                    self._debit(process, self.reservations.get(bytes(f or b"").hex(), ""), self.names[c], e)
                elif kind == ("notes_in_circulation", "wallet"):
                    self._credit(self.reservations.get(a.hex(), ""), self.names[d], e)
                elif kind[0] == "sandbox_funds":
                    self.require(
                        self.top_ups.pop(a.hex(), None) == e, "a top-up that nobody asked for, or a second one"
                    )
                credited_minor += e if kind[0] == "notes_in_circulation" else 0
            elif what == "redeemed":
                self.require(a not in self.redeemed, "a note is redeemed twice")
                self.require(a in self.held, "a note is redeemed that no acquirer has taken")
                self.redeemed.add(a)
                redeems_minor += self.world.worth[b]
            elif what == "charge":
                self._keep("issuer's charge", a, "approved at the issuer" if b == "approved" else b)
                self.reserved.ended(process, a, b)
                self.factors.charged(a, b, c, d, e, f)
            elif what == "hold":
                self.reserved.begun(process, a, b, c, d)
            elif what == "check":
                self.factors.check_begun(a, b)
            elif what == "check ended":
                self.factors.check_ended(a)
            elif what == "unlocked":
                self.factors.unlocked(a)
            elif what == "receipt key":
                self.receipts.seen(disk, a, b, c, d)
            elif what == "receipt key gone":
                self.receipts.gone(a)
        self.require(redeems_minor == credited_minor, "redeemed notes are credited with their worth")
        if seen:
            self._compare(disk)
            self.factors.committed(disk)

    def see_acquirer(self, process: AcquirerProcess, seen: Seen) -> None:
        """
        Judge one commit of an acquirer.
        """
        for what, a, b, c, d, e, f in seen:
            if what == "payment":
                known = self.payments.setdefault(a, Asked(c, d))
                self.require(known == Asked(c, d), "an id stands for another payment")
                self._keep("payment", a, b)
                self.require(b != "succeeded" or a in self.debits, "a payment succeeds for which nobody was debited")
                if b == "succeeded":
                    self.reserved.paid(a, captured_minor=e, amount_minor=c, tip_minor=f)
            elif what == "charge":
                order = self.orders.get(a)
                self.require(order is None or order.subject_id == c, "an id stands for another charge")
                self._keep("charge", a, b)
                order_id = self.order_ids.get(a) if b in ("submitted", "approved") else None
                self.require(d == order_id, "an order id is kept for as long as its charge is under way, and no longer")
                has_debited = a in self.debited
                has_reserved = has_debited or (b == "approved" and a in self.reserved.held)
                self.require(b not in ("approved", "paid") or has_reserved, "a charge is approved that nobody paid")
                is_live = has_debited or a in self.reserved.open.values()
                self.require(b not in ("declined", "voided") or not is_live, "a charge is given up that was paid")
            elif what == "capture":
                self._keep("capture", a, b)
            elif what == "refund":
                if a not in self.refunds:
                    self.refunds[a] = Asked(c, d)
                    self.returns.promised(a)
                self.require(self.refunds[a] == Asked(c, d), "an id stands for another refund")
                if b == "succeeded" and self.status.get(("refund", a)) != b:
                    self.require(a in self.credited.values(), "a refund succeeds that nobody was credited")
                    self.refunded[d] += c
                    self.require(self.refunded[d] <= self.paid[d], "more is paid back than was paid")
                self._keep("refund", a, b)
            elif what == "attempt":
                self._keep("attempt", a, b)
                self.require(b not in ("declined", "voided") or a not in self.credited, "a refund is lost")
            elif what == "note":
                self.require(a not in self.held, "a note is taken twice")
                self.held.add(a)
                self.receipts.note_taken(c, d, a)
            elif what == "dispute":
                self._keep("dispute", a, b)
                self.returns.disputed(a, b, c)
        if seen:
            rows = process.disk.rows("SELECT SUM(credits_posted - debits_posted) FROM accounts")
            self.require(not rows[0][0], "debits equal credits at the acquirer")

    def require(self, condition: bool, rule: str) -> None:
        if not condition:
            self.world.violated(rule)

    def _move(self, disk: Disk, debit: int, credit: int, amount_minor: int) -> None:
        for number in (debit, credit):
            if number not in self.names:
                self.names[number] = disk.rows("SELECT id FROM accounts WHERE number = ?", number)[0][0]
        self.require(amount_minor > 0, "an amount is above zero")
        self.balances[debit] -= amount_minor
        self.balances[credit] += amount_minor
        if self.names[debit].startswith(NEVER_BELOW_ZERO):
            self.require(self.balances[debit] >= 0, "an account is below zero")

    def _debit(self, process: IssuerProcess, charge_id: str, wallet: str, amount_minor: int) -> None:
        order = self.orders.get(charge_id)
        self.require(order is not None, "a wallet is debited for nothing that was asked")
        if order is None:
            return
        self.require(wallet == f"wallet:{self.world.wallets.get(order.palm)}", "another one's wallet is debited")
        if order.is_hold:
            self.reserved.captured(process, charge_id, amount_minor)
        else:
            self.require(order.amount_minor == amount_minor, "another sum is debited than was shown")
        self.require(charge_id not in self.came_to_nothing, "a charge is debited that came to nothing")
        self.require(order.subject_id not in self.debits, "a payment is debited twice")
        self.debited[charge_id] = order.subject_id
        self.debits[order.subject_id] = charge_id
        self.paid[order.subject_id] = amount_minor

    def _credit(self, attempt_id: str, wallet: str, amount_minor: int) -> None:
        order = self.orders_back.get(attempt_id)
        self.require(order is not None, "a wallet is credited for nothing that was asked")
        if order is None:
            return
        self.require(wallet == f"wallet:{self.world.wallets.get(order.palm)}", "another one's wallet is credited")
        self.require(order.amount_minor == amount_minor, "another sum is credited than was shown")
        self.require(attempt_id not in self.came_to_nothing, "a refund is credited that came to nothing")
        self.require(order.subject_id not in self.credited.values(), "a refund is credited twice")
        self.credited[attempt_id] = order.subject_id
        self.returns.credited(order.subject_id, amount_minor)

    def _keep(self, kind: str, subject: str, status: str) -> None:
        before = self.status.get((kind, subject))
        if before in FINAL:
            self.require(before == status, f"a {kind} that is {before} becomes {status}")
        self.status[(kind, subject)] = status

    def _compare(self, disk: Disk) -> None:
        found = disk.rows("SELECT number, credits_posted - debits_posted, debits_pending FROM accounts")
        self.require(sum(balance for _, balance, _ in found) == 0, "debits equal credits at the issuer")
        for number, balance, pending in found:
            self.require(self.balances.get(number, 0) == balance, "balances follow from transfers")
            self.reserved.compare(number, pending)
