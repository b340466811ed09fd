"""
Make a page of a reconciliation: one file that needs no other, for an operator to look at, to print and to keep.

It says what `handsel bank reconcile` prints, and explains it. It names nobody and no account, and loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from markupsafe import Markup, escape

from handsel.bank.booking import Difference, OrderKind, OrderState, Outcome
from handsel.flows.banking.reconcile import DifferenceLine, MovementsLine, OrdersLine, Reconciliation, StatementLine
from handsel.pay.money import Money
from handsel.web.faces import SHOP, WALLET
from handsel.web.pages import Dress, plain_amount, sentence

LINES_MAX = 200  # Of one difference; whoever has more of them reads the JSON.
_STATIC = Path(__file__).parent / "static"
_CODE = re.compile("`([^`]+)`")
_FACES = {"issuer": WALLET, "acquirer": SHOP}

# What happened, and what to do: the table of docs/operating-bank.md. A word between backticks is a command.
EXPLAINED: dict[Difference, tuple[str, str]] = {
    Difference.UNKNOWN_REFERENCE: (
        "money came with a reference that is nobody's, or is mistyped",
        "`assign`, or `send-back`",
    ),
    Difference.NO_REFERENCE: ("money came, and does not say what for", "`assign`, or `send-back`"),
    Difference.WALLET_CLOSED: ("money came for a wallet that takes none any more", "`send-back`"),
    Difference.AMOUNT_DIFFERS: (
        "the bank moved another amount than it was asked, or the issuer paid more than it owes",
        "ask the bank, or the issuer",
    ),
    Difference.DUPLICATE_ENTRY: (
        "the bank states the same movement, or carried out the same order, again",
        "ask the bank",
    ),
    Difference.ENTRY_CHANGED: ("the bank states under the same name something else than before", "ask the bank"),
    Difference.ORDER_ENDED: (
        "the bank carried out what it had refused or sent back before",
        "ask the bank: somebody may be paid twice",
    ),
    Difference.REVERSAL_UNMATCHED: (
        "the bank takes back something that it never stated, or that is not here any more",
        "ask the bank",
    ),
    Difference.MISSING_IN_LEDGER: (
        "money left, and nobody here ordered it",
        "`write-off` if it is a fee; else ask the bank, at once",
    ),
    Difference.MISSING_AT_BANK: (
        "what was ordered is five days overdue, and the bank does not state it",
        "send the file again, or ask the bank",
    ),
    Difference.BALANCE_DIFFERS: (
        "the ledger has another sum at the bank than the last statement",
        "a defect, or somebody wrote into the database: stop",
    ),
}

_MOVEMENTS = {
    Outcome.TOP_UP: "Transfers into wallets",
    Outcome.COLLECTED: "Direct debits into wallets",
    Outcome.COLLECTION_RETURNED: "Direct debits that came back",
    Outcome.PAID: "Orders paid",
    Outcome.PAYMENT_RETURNED: "Payments that came back",
    Outcome.SETTLED: "Paid by the issuer for redeemed notes",
    Outcome.REVERSED: "Errors of the bank, taken back",
    Outcome.SUSPENSE: "Came, and was nobody's",
    Outcome.UNEXPLAINED: "Left, and nobody ordered it",
}
_ORDERS = {
    OrderKind.PAY_OUT: "Pay-outs to merchants",
    OrderKind.SETTLEMENT: "Payments to acquirers for notes",
    OrderKind.RETURN: "Money sent back",
    OrderKind.COLLECTION: "Direct debits",
}
_STATES = {
    OrderState.ORDERED: ("At the bank", "wait"),
    OrderState.DONE: ("Done", "good"),
    OrderState.REFUSED: ("Refused by the bank", "bad"),
    OrderState.RETURNED: ("Came back", "bad"),
}


class NameView(msgspec.Struct, frozen=True):
    """
    Show one name of a difference: what it means, what to do, and each that there is, as id and amount.
    """

    name: str
    happened: str
    advice: Markup
    count: int
    amount: str
    lines: tuple[tuple[str, str], ...]


class StatementView(msgspec.Struct, frozen=True):
    """
    Show one statement: its balances, what was explained of it, and what was not.
    """

    name: str
    opening: str
    closing: str
    matched: int
    matched_amount: str
    unexplained: int


class SumView(msgspec.Struct, frozen=True):
    """
    Show how many movements or orders are alike, their sum and, of orders, where they stand.
    """

    what: str
    count: int
    amount: str
    state: str = ""
    tone: str = ""


class ReconciliationView(msgspec.Struct, frozen=True):
    """
    Show a reconciliation. `style` and `mark` are what other pages load from their party.
    """

    party: str
    made_ms: int
    style: Markup
    mark: Markup
    bank: str
    ledger: str
    difference: str
    count: int
    found: tuple[NameView, ...]
    not_found: tuple[NameView, ...]
    waiting: tuple[tuple[str, str], ...]
    expected: tuple[tuple[str, str], ...]
    movements: tuple[SumView, ...]
    orders: tuple[SumView, ...]
    statements: tuple[StatementView, ...]
    lines_max: int = LINES_MAX


def reconciliation_page(found: Reconciliation, *, party: str, made_ms: int) -> bytes:
    """
    Return the page, as UTF-8. `party` is `issuer` or `acquirer`.
    """
    names = tuple(_name(name, found) for name in Difference)
    view = ReconciliationView(
        party=party,
        made_ms=made_ms,
        style=Markup((_STATIC / "handsel.css").read_text()),  # noqa: S704 – a file of this package
        mark=Markup((_STATIC / "mark.svg").read_text()),  # noqa: S704
        bank=_amount(found.bank_minor, found.currency),
        ledger=_amount(found.ledger_minor, found.currency),
        difference=_amount(found.bank_minor - found.ledger_minor, found.currency),
        count=len(found.all_differences()),
        found=tuple(each for each in names if each.count),
        not_found=tuple(each for each in names if not each.count),
        waiting=tuple((each.name, _amount(each.amount_minor, found.currency)) for each in found.waiting),
        expected=tuple((each.name, _amount(each.amount_minor, found.currency)) for each in found.expected),
        movements=tuple(_movements(line, found.currency) for line in found.movements),
        orders=tuple(_orders(line, found.currency) for line in found.orders),
        statements=tuple(_statement(line, found.currency) for line in reversed(found.statements)),
    )
    return Dress(_FACES[party]).text("reconciliation.html", view).encode()


def _name(name: Difference, found: Reconciliation) -> NameView:
    happened, advice = EXPLAINED[name]
    lines = [line for line in found.all_differences() if line.name is name]
    return NameView(
        name=name.value,
        happened=sentence(happened),
        advice=_with_commands(sentence(advice)),
        count=len(lines),
        amount=_amount(_sum_minor(lines), found.currency),
        lines=tuple((line.id, _amount(line.amount_minor, found.currency)) for line in lines[:LINES_MAX]),
    )


def _movements(line: MovementsLine, currency: str) -> SumView:
    return SumView(_MOVEMENTS[line.outcome], line.count, _amount(line.amount_minor, currency))


def _orders(line: OrdersLine, currency: str) -> SumView:
    return SumView(_ORDERS[line.kind], line.count, _amount(line.amount_minor, currency), *_STATES[line.state])


def _statement(line: StatementLine, currency: str) -> StatementView:
    return StatementView(
        name=line.bank_name,
        opening=_amount(line.opening_minor, currency),
        closing=_amount(line.closing_minor, currency),
        matched=line.matched,
        matched_amount=_amount(line.matched_minor, currency),
        unexplained=len(line.differences),
    )


def _sum_minor(lines: Iterable[DifferenceLine]) -> int:
    return sum(line.amount_minor for line in lines)


def _amount(minor: int, currency: str) -> str:
    sign = "\N{MINUS SIGN}" if minor < 0 else ""
    return sign + plain_amount(Money(abs(minor), currency))


def _with_commands(text: str) -> Markup:
    return Markup(_CODE.sub(r'<code class="code">handsel bank \1</code>', str(escape(text))))  # noqa: S704 – escaped
