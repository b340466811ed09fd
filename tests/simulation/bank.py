"""
Be a bank: it keeps accounts of its own, carries out what it is asked, or refuses it, and states what it has moved.

It is asked by values in place of files, and states values: what is written and read of XML is proved elsewhere. It
never errs; whoever books its statements may see them twice, late, or in the wrong order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from stdnum import iban as standard

from handsel.bank.booking import OrderKind
from handsel.bank.iban import Iban
from handsel.bank.orders import Holder, OwnAccount
from handsel.bank.read_status import Refusal
from handsel.bank.reference import new_reference
from handsel.bank.statement import Movement, Party, Statement
from handsel.flows.banking.transfer_file import TransferFile
from handsel.flows.issuing.collect import CollectionFile
from handsel.pay.money import Money

if TYPE_CHECKING:
    from tests.simulation.world import World

CREDITOR_ID = "DE98ZZZ09999999999"
FIRST_MINOR = 10_000_00  # At the issuer's bank before anybody fills a wallet.
REFUSED, RETURNED = 0.15, 0.15  # Of pay-outs and collections.
REFUSED_BECAUSE, RETURNED_BECAUSE = "AC06", "AM04"
File = TransferFile | CollectionFile


@dataclass
class Account:
    """
    Hold one account: what was moved and not stated yet, and all statements. `refusals` answer orders.

    `booked` are those statements, by their place, of which the owner has said that they are booked.
    """

    own: OwnAccount
    opening_minor: int
    unstated: list[Movement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    booked: set[int] = field(default_factory=set)
    status_booked: int = 0

    @property
    def next_place(self) -> int:
        """
        Return which statement follows on all that are booked.
        """
        return max(self.booked, default=-1) + 1

    def left_out(self) -> list[int]:
        """
        Return which statements were not booked when a later one was.
        """
        return [place for place in range(self.next_place) if place not in self.booked]

    def adds_nothing(self, place: int) -> bool:
        """
        Say whether a statement ends where it has begun: only such a one can be left out.
        """
        return self.statements[place].opening_minor == self.statements[place].closing_minor

    @property
    def stated_minor(self) -> int:
        return self.statements[-1].closing_minor if self.statements else self.opening_minor


@dataclass(frozen=True, repr=False)
class Asked:
    """
    Remember an order that the bank was given.
    """

    owner: str
    kind: OrderKind
    to: Iban
    money: Money


class Bank:
    """
    Hold the accounts of issuer and acquirers, and of everybody else no more than a number.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = 0
        self.accounts = {
            name: Account(OwnAccount(self.holder(name), creditor_id=CREDITOR_ID), FIRST_MINOR * (name == "issuer"))
            for name in ("issuer", "street1", "street2")
        }
        self.owner_of = {account.own.holder.iban: name for name, account in self.accounts.items()}
        self.settlement_reference = new_reference(world.rng.randbytes)
        self._asked: dict[str, Asked] = {}
        self._waiting: dict[str, Asked] = {}
        self._returning: dict[str, Asked] = {}

    def holder(self, name: str) -> Holder:
        """
        Return a new account of somebody.
        """
        self._numbers += 1
        body = f"{self._numbers:018}"
        return Holder(name, Iban(f"DE{standard.calc_check_digits('DE00' + body)}{body}"))

    def today(self) -> date:
        return datetime.fromtimestamp(self._world.schedule.now_ms / 1000, tz=UTC).date()

    def take(self, owner: str, file: File) -> None:
        """
        Take a file of orders. An order that is known already is not carried out again.
        """
        for order in file.orders:
            # A direct debit names by whom it is paid, a transfer to whom.
            other = order.to if hasattr(order, "to") else order.by
            asked = Asked(owner, file.batch.kind, other.iban, order.money)
            known = self._asked.setdefault(order.id, asked)
            self._world.truth.require(known == asked, "an order at the bank is another when it is sent again")
            if known is asked:
                self._waiting[order.id] = asked

    def carry_out(self, *, settles: bool) -> None:
        """
        Do what waits, or refuse it; let some of what was paid come back. Acquirers are paid only where it `settles`.
        """
        for order_id, asked in list(self._waiting.items()):
            if asked.kind is OrderKind.SETTLEMENT and not settles:
                continue
            del self._waiting[order_id]
            may_fail, drawn = asked.kind in (OrderKind.PAY_OUT, OrderKind.COLLECTION), self._world.rng.random()
            if may_fail and drawn < REFUSED:
                self.accounts[asked.owner].refusals.append(Refusal(order_id=order_id, reason=REFUSED_BECAUSE))
                continue
            self._move(asked, order_id)
            self._world.count(f"bank_{asked.kind.value}s")
            if may_fail and drawn > 1 - RETURNED:
                self._returning[order_id] = asked

    def give_back(self) -> None:
        """
        Let what comes back do so.
        """
        for order_id, asked in self._returning.items():
            is_credit = asked.kind is not OrderKind.COLLECTION
            self._returned(asked, order_id, is_credit=is_credit)
            self._world.count(f"bank_{asked.kind.value}s_returned")
        self._returning.clear()

    def pay_in(self, owner: str, money: Money, sender: Holder, *, reference: str, is_wrong: bool = False) -> None:
        """
        Move money from somebody to an account.
        """
        party = Party(sender.name, sender.iban)
        self._state(owner, money, is_credit=True, reference=reference, is_reference_wrong=is_wrong, party=party)

    def charge_fee(self, owner: str, money: Money) -> None:
        self._state(owner, money, is_credit=False)
        self._world.truth.banked.unexplained(owner, money.amount_minor)

    def close(self, owner: str, *, even_if_empty: bool = False) -> None:
        """
        Make a statement of what was moved since the last one, if anything was.
        """
        account = self.accounts[owner]
        if not account.unstated and not even_if_empty:
            return
        moved, account.unstated = tuple(account.unstated), []
        opening_minor = account.stated_minor
        account.statements.append(
            Statement(
                id=str(len(account.statements) + 1),
                iban=account.own.holder.iban,
                currency="EUR",
                opening_minor=opening_minor,
                closing_minor=opening_minor + sum(movement.change_minor for movement in moved),
                closed_on=self.today().isoformat(),
                movements=moved,
            )
        )

    def _move(self, asked: Asked, order_id: str) -> None:
        """
        Carry out one order, on both accounts where both are here.
        """
        is_credit = asked.kind is OrderKind.COLLECTION
        self._state(asked.owner, asked.money, is_credit=is_credit, end_to_end_id=order_id)
        self._world.truth.banked.carried_out(asked.kind, asked.to, asked.money.amount_minor)
        to = self.owner_of.get(asked.to)
        if to is not None:
            self.pay_in(to, asked.money, self.accounts[asked.owner].own.holder, reference=self.settlement_reference)

    def _returned(self, asked: Asked, order_id: str, *, is_credit: bool) -> None:
        code = RETURNED_BECAUSE
        self._state(asked.owner, asked.money, is_credit=is_credit, end_to_end_id=order_id, return_code=code)
        self._world.truth.banked.carried_out(asked.kind, asked.to, -asked.money.amount_minor)

    def _state(self, owner: str, money: Money, *, is_credit: bool, **named: Any) -> None:
        name, day = self._world.new_id(), self.today().isoformat()
        self.accounts[owner].unstated.append(Movement(money, is_credit, day, name, **named))
