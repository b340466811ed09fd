"""
Book a statement of the bank: every movement once, ever, and the ledger's sum at the bank is the bank's, to the cent.

Each movement is explained by whoever has the account (`Explain`). What cannot be explained is booked nevertheless,
under a name for the difference: money that came is nobody's until somebody says whose it is, and money that left is
unexplained until somebody explains it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from handsel.bank.booking import (
    BookedMovement,
    BookedStatement,
    Difference,
    Outcome,
    Suspended,
    SuspenseState,
)
from handsel.bank.iban import Iban
from handsel.bank.orders import NAME_CHARS_MAX, Holder
from handsel.bank.statement import Movement, Party, Statement
from handsel.errors import IdReused, StatementInvalid, ensure
from handsel.flows.banking.accounts import at_bank, balance_minor, book, own_funds, suspense, unexplained
from handsel.flows.banking.explain_payment import Explain, Explained, Explanation
from handsel.ids import ID_BYTES
from handsel.pay.ledger import derive_id
from handsel.pay.money import Money
from handsel.store.bank import BankTables

WAS_BOOKED = "a statement that was left out has movements that were booked; nothing was booked: ask the bank about it"
UNNAMED = "unknown"  # The holder of an account that the bank does not name.


@dataclass(frozen=True)
class Booked:
    """
    Answer what was booked of a statement. With `is_repeated` it was booked before, and nothing has changed.
    """

    bank_name: str
    movements: int
    differences: tuple[Difference, ...]
    is_repeated: bool = False


def book_in_turn(
    books: BankTables, statements: Sequence[Statement], *, of: Iban, currency: str, explain: Explain, now_ms: int
) -> tuple[Booked, ...]:
    """
    Book statements, in their order.

    1. Each is of this account, and begins where the last one ended.
    2. The same statement again changes nothing; another one of the same id raises `IdReused`.
    3. What comes back is explained last: it may be stated before what it comes back from.
    4. The ledger's sum at the bank is the closing balance.

    That one was left out goes unnoticed where its movements add up to nothing: the next begins at the same balance. It
    is booked late then, whenever it comes, where the account stood at that balance on that day; several that only
    together add up to nothing are booked together. For these 1 and 4 hold once all are booked.

    Raises `StatementInvalid` and `IdReused`; then the caller has to keep nothing of what was done. Raises
    `InvariantBroken` where the ledger has another sum at the bank than the last statement.
    """
    last, account = books.last_statement(), at_bank(currency)
    is_so = last is None or balance_minor(books, account) == last.closing_minor
    ensure(is_so, "the ledger has at the bank what it said")
    booked = tuple(
        _book_statement(books, each, of=of, currency=currency, explain=explain, now_ms=now_ms) for each in statements
    )
    last = books.last_statement()
    if last is not None and balance_minor(books, account) != last.closing_minor:
        raise StatementInvalid(
            "statements that were left out lead back to where they began; nothing was booked: book them all at once"
        )
    return booked


def _book_statement(
    books: BankTables, statement: Statement, *, of: Iban, currency: str, explain: Explain, now_ms: int
) -> Booked:
    # 1.
    if statement.iban != of:
        raise StatementInvalid("the statement is of another account than the settings name; nothing was booked")
    if statement.currency != currency:
        raise StatementInvalid(f"the statement is not in {currency}; nothing was booked")
    # 2.
    # Banks begin to count anew with the year.
    statement_id = _id("bank-statement", of.text, statement.closed_on[:4], statement.id)
    ends = (statement.id, statement.opening_minor, statement.closing_minor, statement.closed_on)
    digest = _digest(*statement.movements, of=ends)
    earlier = books.find_statement(statement_id)
    if earlier is not None:
        if earlier.digest != digest:
            raise IdReused("another statement of that id was booked; nothing was changed: ask the bank which is right")
        left = tuple(kind for _, kind, _ in books.differences_of(statement_id))
        return Booked(statement.id, len(statement.movements), left, is_repeated=True)
    is_late = _begin(books, statement, statement_id, digest, now_ms=now_ms)
    if is_late and any(_is_booked_elsewhere(books, each, statement_id, of=of) for each in statement.movements):
        raise StatementInvalid(WAS_BOOKED)
    # 3.
    kinds = []
    for place, movement in sorted(enumerate(statement.movements), key=lambda each: _comes_back(each[1])):
        found = _book_movement(books, movement, statement_id, of=of, place=place, explain=explain, now_ms=now_ms)
        kinds += [found] if isinstance(found, Difference) else []
    if is_late and Difference.DUPLICATE_ENTRY in kinds:
        raise StatementInvalid(WAS_BOOKED)
    # 4.
    is_so = is_late or balance_minor(books, at_bank(currency)) == statement.closing_minor
    ensure(is_so, "the ledger has at the bank what it says")
    return Booked(statement.id, len(statement.movements), tuple(kinds))


def _begin(books: BankTables, statement: Statement, statement_id: str, digest: bytes, *, now_ms: int) -> bool:
    """
    Keep a statement, and return whether it is late.
    """
    last, is_late = books.last_statement(), False
    account = at_bank(statement.currency)
    if last is None:
        if statement.opening_minor < 0:
            raise StatementInvalid("the first statement begins below zero: begin with one at or above it")
        money = Money(statement.opening_minor, statement.currency)
        book(books, "opening", statement_id, money, debit=account, credit=own_funds(statement.currency), now_ms=now_ms)
    elif not last.closing_minor == statement.opening_minor == balance_minor(books, account):
        is_late = _was_left_out(books, statement, last)
        if not is_late:
            raise StatementInvalid(
                "the statement does not begin where the last one ended; nothing was booked: book those between first"
            )
    booked = BookedStatement(
        id=statement_id,
        bank_name=statement.id,
        digest=digest,
        opening_minor=statement.opening_minor,
        closing_minor=statement.closing_minor,
        currency=statement.currency,
        last_day=max(statement.closed_on, last.last_day if last else ""),
        closed_on=statement.closed_on,
        is_late=is_late,
    )
    books.add_statement(booked, now_ms=now_ms)
    return is_late


def _was_left_out(books: BankTables, statement: Statement, last: BookedStatement) -> bool:
    is_between = statement.closed_on <= last.last_day
    return is_between and books.stood_at(statement.opening_minor, day=statement.closed_on)


def _book_movement(
    books: BankTables, movement: Movement, statement_id: str, *, of: Iban, place: int, explain: Explain, now_ms: int
) -> Explanation:
    names = (movement.bank_reference,) if movement.bank_reference else (statement_id, str(place))
    entry_id, digest = _id("bank-entry", of.text, *names), _digest(movement)
    earlier = books.find_entry(entry_id)
    explanation: Explanation
    if earlier is not None:
        entry_id = _id("bank-entry-again", statement_id, str(place))
        explanation = Difference.DUPLICATE_ENTRY if earlier.digest == digest else Difference.ENTRY_CHANGED
    else:
        explanation = explain(books, movement, entry_id, now_ms)
    nobodys = Outcome.SUSPENSE if movement.is_credit else Outcome.UNEXPLAINED
    entry = BookedMovement(
        id=entry_id,
        statement_id=statement_id,
        digest=digest,
        change_minor=movement.change_minor,
        end_to_end_id=movement.end_to_end_id,
        reference=movement.reference,
        outcome=explanation.outcome if isinstance(explanation, Explained) else nobodys,
        subject=explanation.subject if isinstance(explanation, Explained) else "",
        party_id=_keep(books, movement, explanation, entry_id, now_ms),
    )
    books.add_entry(entry)
    if isinstance(explanation, Difference):
        _set_aside(books, entry, movement.money, explanation, now_ms=now_ms)
    return explanation


def _is_booked_elsewhere(books: BankTables, movement: Movement, statement_id: str, *, of: Iban) -> bool:
    # Where one statement follows on another the balances say that it did move twice. Here they say nothing.
    if not movement.bank_reference:
        return books.has_entry_elsewhere(_digest(movement), statement_id=statement_id)
    earlier = books.find_entry(_id("bank-entry", of.text, movement.bank_reference))
    return earlier is not None and earlier.statement_id != statement_id


def _set_aside(books: BankTables, entry: BookedMovement, money: Money, kind: Difference, *, now_ms: int) -> None:
    account = at_bank(money.currency)
    if entry.change_minor > 0:
        book(books, "suspense", entry.id, money, debit=account, credit=suspense(money.currency), now_ms=now_ms)
        books.suspend(Suspended(entry.id, kind.value, entry.party_id, money, SuspenseState.OPEN), now_ms=now_ms)
    else:
        book(books, "unexplained", entry.id, money, debit=unexplained(money.currency), credit=account, now_ms=now_ms)
    books.add_difference(entry, kind)


def _keep(books: BankTables, movement: Movement, explanation: Explanation, entry_id: str, now_ms: int) -> str | None:
    """
    Keep from whom money came, where that has to be known, and return under which id.
    """
    holder, party_id = _holder(movement.party), derive_id("party", entry_id)
    if holder is None:
        return None
    if isinstance(explanation, Difference):
        if not movement.is_credit:
            return None
        books.keep_sender(party_id, holder, now_ms=now_ms)
        return party_id
    if not explanation.keeps_party:
        return None
    books.keep_party(party_id, holder, now_ms=now_ms)
    return party_id


def _holder(party: Party) -> Holder | None:
    if party.iban is None:
        return None
    name = "".join(char if char.isprintable() else " " for char in party.name).strip()[:NAME_CHARS_MAX] or UNNAMED
    return Holder(name, party.iban)


def _comes_back(movement: Movement) -> bool:
    return movement.is_reversal or bool(movement.return_code)


def _id(*names: str) -> str:
    return hashlib.sha256("\0".join(("handsel/v1", *names)).encode()).digest()[:ID_BYTES].hex()


def _digest(*movements: Movement, of: tuple[str | int, ...] = ()) -> bytes:
    # Of no name and no account: who was forgotten is not to be found again by trying.
    plain = [replace(movement, party=Party("", None)) for movement in movements]
    return hashlib.sha256(msgspec.msgpack.encode((of, msgspec.to_builtins(plain)))).digest()
