"""
Keep a small book for tests of proofs: steps of one shop's account and of others between them, with a signed head.
"""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.proof.head import SignedHead, TreeHead, public_half, sign_head
from handsel.proof.leaf import (
    CREDIT,
    DEBIT,
    AccountOpening,
    Commitments,
    Leaf,
    RunningOpening,
    commit_account,
    commit_running,
    nonces,
)
from handsel.proof.merkle import HashOf, prove_inclusion, prove_many
from handsel.proof.receipt import ReceiptProof
from handsel.proof.statement import Reserved, Statement, StatementLine
from tests.proof.test_merkle import over_hashes

SHOP, OTHER = "merchant:cafe:EUR", "notes_held:EUR"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = public_half(KEY, party="acquirer")
SECRET = b"s" * 32


class Book:
    """
    Hold leaves, as whoever keeps a ledger would make them.
    """

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.mine: list[StatementLine] = []
        self.balance_minor = 0

    def add(
        self, minor: int, *, code: str = "payment", number: int | None = None, left: int | None = None, step: str = ""
    ) -> StatementLine:
        """
        Book an entry of the shop: a credit above zero. `number` and `left` are lies, where they are given.
        """
        side = CREDIT if minor > 0 else DEBIT
        self.balance_minor += minor
        sequence = len(self.leaves) + 1
        running = (number or len(self.mine) + 1, self.balance_minor if left is None else left)
        drawn = nonces(SECRET, sequence)
        ours = Commitments(commit_account(SHOP, drawn[0]), commit_running(*running, drawn[1]))
        theirs = Commitments(commit_account(OTHER, drawn[2]), commit_running(sequence, -1, drawn[3]))
        leaf = Leaf(
            sequence=sequence,
            id=step or f"{sequence:032x}",
            kind="post",
            amount_minor=abs(minor),
            currency="EUR",
            code=code,
            at_ms=1000 + sequence,
            debit=ours if side == DEBIT else theirs,
            credit=ours if side == CREDIT else theirs,
        )
        self.leaves.append(leaf)
        self.mine.append(StatementLine(leaf, side, drawn[0], RunningOpening(*running, drawn[1])))
        return self.mine[-1]

    def reserve(self, minor: int, *, account: str = SHOP) -> Reserved:
        """
        Reserve a sum of the shop's, as it is ordered to be paid out.
        """
        sequence = len(self.leaves) + 1
        drawn = nonces(SECRET, sequence)
        ours = Commitments(commit_account(account, drawn[0]), commit_running(0, 0, drawn[1]))
        theirs = Commitments(commit_account(OTHER, drawn[2]), commit_running(0, 0, drawn[3]))
        step = (sequence, f"{sequence:032x}", "reserve", minor, "EUR", "pay_out", 1000 + sequence)
        leaf = Leaf(*step, debit=ours, credit=theirs)
        self.leaves.append(leaf)
        return Reserved(leaf, drawn[0])

    def pay_out(self, reserved: Reserved, minor: int = 0) -> StatementLine:
        """
        Take what was reserved, or another sum.
        """
        line = self.add(-(minor or reserved.leaf.amount_minor), code="pay_out")
        leaf = msgspec.structs.replace(line.leaf, kind="capture", pending_id=reserved.leaf.id)
        self.leaves[-1] = leaf
        self.mine[-1] = msgspec.structs.replace(line, leaf=leaf)
        return self.mine[-1]

    def payout(
        self, reserved: Reserved, contained: list[StatementLine], lines: list[StatementLine] | None = None
    ) -> Statement:
        """
        Return the statement of a pay-out, whose own line is the last.
        """
        lines = self.mine if lines is None else lines
        indexes = sorted({reserved.leaf.sequence - 1, *(line.leaf.sequence - 1 for line in lines)})
        hashes = prove_many(self.hash_of(), indexes, len(self.leaves))
        ids = tuple(line.leaf.id for line in contained)
        shown = Statement(SHOP, self.head(), tuple(lines), hashes)
        return msgspec.structs.replace(shown, payout_id=lines[-1].leaf.id, reserved=reserved, contained=ids)

    def add_of_others(self) -> None:
        """
        Book something that is nothing of the shop.
        """
        self.add(1)
        self.mine.pop()
        self.balance_minor -= 1

    def hash_of(self) -> HashOf:
        return over_hashes([leaf.hash() for leaf in self.leaves])

    def head(self) -> SignedHead:
        size = len(self.leaves)
        return sign_head(TreeHead("acquirer", size, self.hash_of()(0, size), 5000), KEY)

    def statement(self, lines: list[StatementLine] | None = None) -> Statement:
        lines = self.mine if lines is None else lines
        indexes = sorted({line.leaf.sequence - 1 for line in lines})
        hashes = prove_many(self.hash_of(), indexes, len(self.leaves))
        return Statement(SHOP, self.head(), tuple(lines), hashes)

    def receipt(self, line: StatementLine) -> ReceiptProof:
        path = prove_inclusion(self.hash_of(), line.leaf.sequence - 1, len(self.leaves))
        return ReceiptProof(line.leaf, AccountOpening(SHOP, line.account_nonce), path, self.head())
