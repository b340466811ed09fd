"""
Show all entries of one account between two points, and prove that they are all there are.

Every line is in the list that the head signs, and carries, committed in its leaf, which entry of the account it is and
what it leaves. A line that is kept back leaves a hole in the numbers; one that is changed is not in the list.

A pay-out is ordered first, and paid when the bank says so; payments go on between. Its statement ends with its own
line, and holds the step that reserved its sum: what the account had until there is in it, or is named as left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import msgspec

from handsel.errors import ProofInvalid
from handsel.proof.head import SignedHead, TreeHead, TreeKey
from handsel.proof.leaf import CREDIT, DEBIT, AccountOpening, Leaf, RunningOpening
from handsel.proof.merkle import verify_many

FORMAT = "handsel/v1/statement"
LINES_MAX = 10_000
PAYOUT_CODE = "pay_out"  # What a pay-out is booked as, and, with more behind it, one that came back.


class StatementLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Show one entry of the account: a leaf with one side open. `payment_id` says which payment it is of, where it is one.
    """

    leaf: Leaf
    side: str
    account_nonce: bytes
    running: RunningOpening
    payment_id: str = ""

    @property
    def change_minor(self) -> int:
        """
        Return by how much the entry changes the account: a credit above zero, a debit below.
        """
        return self.leaf.amount_minor if self.side == CREDIT else -self.leaf.amount_minor

    def __repr__(self) -> str:
        """
        Return nothing of the entry.
        """
        return "StatementLine()"


class Reserved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Show the step that reserved the sum of a pay-out on the account.
    """

    leaf: Leaf
    account_nonce: bytes

    def __repr__(self) -> str:
        """
        Return nothing of the step.
        """
        return "Reserved()"


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Carry lines of `account`, oldest first, the head of the list that they are in, and the hashes that show it.

    `payout_id` names the step that paid out, where this is the statement of a pay-out: it is the last line then, what
    it paid had been `reserved`, and `contained` are the steps that it consists of.
    """

    account: str
    head: SignedHead
    lines: tuple[StatementLine, ...]
    hashes: tuple[bytes, ...]
    format: str = FORMAT
    payout_id: str = ""
    reserved: Reserved | None = None
    contained: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """
        Return nothing of the account.
        """
        return "Statement()"


@dataclass(frozen=True, repr=False)
class ProvedPayout:
    """
    Say what a pay-out consists of: `contained` steps, which come to its amount, of those until entry `ordered_after`.

    `left_out` are the steps until there that are in the statement and not in the pay-out, but for those that are booked
    as `other_payouts`, or as such that `came_back`, by amount: that none is a payment, only one's own list can tell.
    """

    amount_minor: int
    contained: frozenset[str]
    ordered_after: int
    left_out: tuple[str, ...]
    other_payouts: frozenset[str]
    came_back: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class ProvedStatement:
    """
    Say what a statement proves: entries `first` to `last` of the account, and how they change it.

    `by_code` sums up what each kind of entry brings: payments above zero, refunds below. `payout` is there where this
    is the statement of a pay-out.
    """

    head: TreeHead
    account: str
    currency: str
    first: int
    last: int
    opening_minor: int
    closing_minor: int
    by_code: dict[str, int]
    payout: ProvedPayout | None = None


def verify_statement(statement: Statement, *, key: TreeKey) -> ProvedStatement:
    """
    Check a statement with nothing but its party's public key. Raises `SignatureInvalid` and `ProofInvalid`.

    1. The head is signed.
    2. Each line opens its leaf to this very account: an entry, not a step that was refused or only reserved.
    3. The lines are entries of the account one after another: no number is left out, and no balance jumps.
    4. All leaves are in the list of the head.
    5. Of a pay-out, the last line is the step that paid out, it took what another step had reserved on the account, and
       what it is said to contain is in the lines before that step, and comes to its amount.

    What the caller must still do: compare the payments with its own list (`missing_payments`), the first number with
    the last one of the statement before, and the head with those that others were shown. Of a pay-out: look whether
    what was left out is in the one before (`require_follows`), or why it waits.
    """
    head = statement.head.verify(key)  # 1
    lines = statement.lines
    if statement.format != FORMAT or not 0 < len(lines) <= LINES_MAX:
        raise ProofInvalid(f"a statement has 1 to {LINES_MAX} lines, in the format {FORMAT}")
    for line in lines:
        _open(line, statement.account)  # 2
    _follow(lines)  # 3
    shown = [line.leaf for line in lines] + ([statement.reserved.leaf] if statement.reserved else [])
    leaves = {leaf.sequence - 1: leaf.hash() for leaf in shown}
    if len(leaves) != len(shown):
        raise ProofInvalid("a line stands twice in the statement")
    verify_many(leaves, statement.hashes, size=head.size, root=head.root)  # 4
    payout = _prove_payout(statement)  # 5
    by_code: dict[str, int] = {}
    for line in lines:
        by_code[line.leaf.code] = by_code.get(line.leaf.code, 0) + line.change_minor
    return ProvedStatement(
        head=head,
        account=statement.account,
        currency=lines[0].leaf.currency,
        first=lines[0].running.number,
        last=lines[-1].running.number,
        opening_minor=lines[0].running.balance_minor - lines[0].change_minor,
        closing_minor=lines[-1].running.balance_minor,
        by_code=by_code,
        payout=payout,
    )


def require_follows(proved: ProvedStatement, before: ProvedStatement) -> ProvedStatement:
    """
    Check that the statement of a pay-out goes on from that of one before it, and return it without what is in that one.

    No entry lies between what both looked at, and nothing is in both, unless the one before came back. Raises
    `ProofInvalid`.
    """
    payout, earlier = proved.payout, before.payout
    if payout is None or earlier is None or proved.account != before.account:
        raise ProofInvalid("only the statements of two pay-outs of one account follow each other so")
    if proved.first > earlier.ordered_after + 1 or payout.ordered_after < earlier.ordered_after:
        raise ProofInvalid(f"the pay-out does not go on after entry {earlier.ordered_after} of the one before")
    if payout.contained & earlier.contained and earlier.amount_minor not in payout.came_back:
        raise ProofInvalid("a payment is in both pay-outs, of which none came back")
    left = tuple(step_id for step_id in payout.left_out if step_id not in earlier.contained)
    return replace(proved, payout=replace(payout, left_out=left))


def missing_payments(statement: Statement, made: Mapping[str, int]) -> tuple[str, ...]:
    """
    Return the ids of steps, of those that were made, that no line of a verified statement credits with their amount.

    `made` are amounts by the id of the step that must have booked each: a caller finds it from the id of its payment.
    """
    credited = {line.leaf.id: line.leaf.amount_minor for line in statement.lines if line.side == CREDIT}
    return tuple(step_id for step_id, amount_minor in made.items() if credited.get(step_id) != amount_minor)


def _prove_payout(statement: Statement) -> ProvedPayout | None:
    if not statement.payout_id:
        if statement.reserved or statement.contained:
            raise ProofInvalid("only the statement of a pay-out says what one contains")
        return None
    last, reserved, contained = statement.lines[-1], statement.reserved, frozenset(statement.contained)
    if last.leaf.id != statement.payout_id or last.side != DEBIT or reserved is None:
        raise ProofInvalid("the last line of the statement is not the pay-out that it is of")
    was_reserved = reserved.leaf.kind == "reserve" and not reserved.leaf.refusal
    if not was_reserved or last.leaf.kind != "capture" or last.leaf.pending_id != reserved.leaf.id:
        raise ProofInvalid("the pay-out did not take what was reserved for it")
    opened = AccountOpening(statement.account, reserved.account_nonce)
    if opened.commitment() != reserved.leaf.debit.account or reserved.leaf.amount_minor != last.leaf.amount_minor:
        raise ProofInvalid("what was reserved for the pay-out is not of its account, or another amount")
    until = [line for line in statement.lines if line.leaf.sequence < reserved.leaf.sequence]
    paid = [line for line in until if line.leaf.id in contained]
    if not paid or len(paid) != len(contained) or len(contained) != len(statement.contained):
        raise ProofInvalid("what the pay-out contains is not in the lines before it was ordered, each once")
    if sum(line.change_minor for line in paid) != last.leaf.amount_minor:
        raise ProofInvalid("what the pay-out contains does not come to its amount")
    rest = [line for line in until if line.leaf.id not in contained]
    others = [line for line in rest if line.leaf.code.startswith(PAYOUT_CODE)]
    return ProvedPayout(
        amount_minor=last.leaf.amount_minor,
        contained=contained,
        ordered_after=until[-1].running.number,
        left_out=tuple(line.leaf.id for line in rest if not line.leaf.code.startswith(PAYOUT_CODE)),
        other_payouts=frozenset(line.leaf.id for line in others),
        came_back=tuple(line.change_minor for line in others if line.side == CREDIT),
    )


def _open(line: StatementLine, account: str) -> None:
    if line.side not in (DEBIT, CREDIT):
        raise ProofInvalid("a line is a debit or a credit")
    if line.leaf.kind not in ("post", "capture") or line.leaf.refusal or line.running.number < 1:
        raise ProofInvalid("a line of a statement is an entry, and nothing that was reserved or refused")
    committed = line.leaf.side(line.side)
    opened = AccountOpening(account, line.account_nonce)
    if opened.commitment() != committed.account or line.running.commitment() != committed.running:
        raise ProofInvalid("a line of the statement does not belong to its account")


def _follow(lines: tuple[StatementLine, ...]) -> None:
    for before, line in pairwise(lines):
        if line.leaf.currency != before.leaf.currency or line.leaf.sequence <= before.leaf.sequence:
            raise ProofInvalid("the lines of the statement are of one currency, and oldest first")
        if line.running.number != before.running.number + 1:
            raise ProofInvalid(f"entry {before.running.number + 1} of the account is not in the statement")
        if line.running.balance_minor != before.running.balance_minor + line.change_minor:
            raise ProofInvalid(f"entry {line.running.number} does not leave what it should")
