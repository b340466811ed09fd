"""
Keep the tree over a party's ledger, sign its heads, and prove from it. It grows by what was booked, however that was.

What a leaf is follows from its row, which is written in the transaction that books; so nothing of the tree has to be
written there, and whoever books does not wait for a hash. The tree follows in rounds of its own: hashes and head are
written as one, and a round that is cut off leaves what was before.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.clock import Clock
from handsel.errors import BodyInvalid, NotFound, StoreCorrupt, StoreError, ensure
from handsel.ids import require_id
from handsel.proof.head import GrowthProof, SignedHead, TreeHead, TreeKey, public_half, sign_head
from handsel.proof.leaf import CREDIT, DEBIT, SECRET_BYTES
from handsel.proof.merkle import prove_consistency, prove_inclusion, prove_many, root_hash
from handsel.proof.receipt import ReceiptProof
from handsel.proof.statement import LINES_MAX, Reserved, Statement
from handsel.proof.tiles import Load, Place, Tiles, append
from handsel.store.database import Database, UnitOfWork
from handsel.store.ledger import ENTRIES_READ_MAX, entries_of
from handsel.store.tree_leaves import LeafRow, hash_of_row, leaf_of, line_of, open_account_of, rows_after, rows_of

LEAVES_MAX = 4096  # In a round: some 30 ms, and less than a twentieth of one second.
ROUNDS_MAX = 64  # That one question waits for: a quarter of a million steps.


class Tree:
    """
    Hold the tree of one party's ledger. Several threads may use it; one of them at a time lets it grow.
    """

    def __init__(self, database: Database, key: Ed25519PrivateKey, *, party: str, clock: Clock) -> None:
        """
        Draw the ledger's secret, unless that was done before.
        """
        self.public: TreeKey = public_half(key, party=party)
        self._database = database
        self._key = key
        self._party = party
        self._clock = clock
        self._growing = threading.Lock()
        self._secret = _draw_secret(database)

    def grow(self) -> bool:
        """
        Take in what was booked since, at most `LEAVES_MAX` steps, and sign a head of it; return whether there was any.

        1. Read the steps that are not in the tree yet, and hash them, while others go on.
        2. The tree as it is kept has the root that was signed last. Raises `StoreCorrupt` where it has not.
        3. Write its new tiles and its new head, as one.
        """
        with self._growing:
            # 1.
            with self._database.unit_of_work() as uow:
                before = _last_head(uow, self._party)
                size = before.head.size if before else 0
                rows = rows_after(uow, size, limit=LEAVES_MAX)
            if not rows:
                return False
            _require_no_gap(rows, size)
            leaves = [hash_of_row(row, self._secret) for row in rows]
            with self._database.unit_of_work() as uow:
                load = loading(uow)
                # 2.
                if before and root_hash(Tiles(size, load).hash_of, size) != before.head.root:
                    raise StoreCorrupt(
                        "the tree of the ledger is not the one that was signed: run handsel check-ledger"
                    )
                # 3.
                changed = append(size, leaves, load)
                grown = Tiles(size + len(leaves), _over(changed, load))
                root = root_hash(grown.hash_of, grown.size)
                _write_tiles(uow, changed)
                _write_head(uow, sign_head(TreeHead(self._party, grown.size, root, self._clock()), self._key))
                uow.commit_aside()
            return True

    def head(self) -> SignedHead:
        """
        Return the newest head. Raises `NotFound` while nothing was ever booked.
        """
        with self._database.unit_of_work() as uow:
            head = _last_head(uow, self._party)
        if head is None:
            raise NotFound("nothing was booked yet: there is no head to show")
        return head

    def growth(self, *, first: int, second: int) -> GrowthProof:
        """
        Prove that the list of one head begins with that of another, by their sizes. Raises `BodyInvalid`.
        """
        newest = self.head()
        if not 0 < first <= second <= newest.head.size:
            raise BodyInvalid(f"ask for two sizes, the smaller one first, up to {newest.head.size}")
        return GrowthProof(first, second, prove_consistency(self._tiles(second).hash_of, first, second))

    def receipt(self, step_id: str) -> ReceiptProof:
        """
        Prove that a step is in the list, and which account it credits. Raises `NotFound`.
        """
        with self._database.unit_of_work() as uow:
            rows = rows_of(uow, (require_id(step_id),))
        if not rows or rows[0].refusal:
            raise NotFound("nothing of that id was booked")
        row, head = rows[0], self._reach(rows[0].sequence)
        return ReceiptProof(
            leaf=leaf_of(row, self._secret),
            credited=open_account_of(row, CREDIT, self._secret),
            path=prove_inclusion(self._tiles(head.head.size).hash_of, row.sequence - 1, head.head.size),
            head=head,
        )

    def statement(self, account_id: str, *, after: int = 0, limit: int = LINES_MAX) -> Statement:
        """
        Prove the entries of an account after the one of that number, at most `limit`.

        Raises `NotFound` where there are none.
        """
        ensure(0 < limit <= LINES_MAX, f"a statement has at most {LINES_MAX} lines")
        with self._database.unit_of_work() as uow:
            rows = rows_of(uow, _entry_ids(uow, account_id, after=after, limit=limit))
        if not rows:
            raise NotFound(f"the account has no such entries among the {limit} after entry {after}")
        return self._prove(account_id, rows, rows)

    def payout(self, account_id: str, *, payout_id: str, contained: Sequence[str], before: Sequence[str]) -> Statement:
        """
        Prove of which entries of an account a pay-out consists: the step that took what was reserved.

        `contained` are the steps that it pays out; `before` are reservations of other pay-outs: the lines begin where
        the last of them was made, or with the first step that is contained, and end with the pay-out's own.

        Raises `NotFound` where it was not paid out, and `BodyInvalid` where that is more than `LINES_MAX` lines.
        """
        with self._database.unit_of_work() as uow:
            paid = rows_of(uow, (require_id(payout_id),))
            if not paid or paid[0].pending_id is None:
                raise NotFound("nothing was paid out under that id")
            (reserved,) = rows_of(uow, (paid[0].pending_id.hex(),))
            earlier = [row.sequence for row in rows_of(uow, before) if row.sequence < reserved.sequence]
            last = paid[0].debit.number
            rows = rows_of(uow, _entry_ids(uow, account_id, after=max(0, last - LINES_MAX), limit=min(last, LINES_MAX)))
        since, steps = max(earlier, default=0), {bytes.fromhex(step_id) for step_id in contained}
        start = next(place for place, row in enumerate(rows) if row.sequence > since or row.id in steps)
        is_cut = start == 0 and last > LINES_MAX
        if is_cut or not steps <= {row.id for row in rows}:
            raise BodyInvalid(
                f"there are more than {LINES_MAX} entries since the last pay-out: ask for the account's, in parts"
            )
        proved = self._prove(account_id, rows[start:], sorted((reserved, *rows[start:]), key=lambda row: row.sequence))
        nonce = open_account_of(reserved, DEBIT, self._secret).nonce
        return msgspec.structs.replace(
            proved,
            payout_id=payout_id,
            reserved=Reserved(leaf_of(reserved, self._secret), nonce),
            contained=tuple(contained),
        )

    def _prove(self, account_id: str, rows: Sequence[LeafRow], shown: Sequence[LeafRow]) -> Statement:
        head = self._reach(shown[-1].sequence)
        hash_of = self._tiles(head.head.size).hash_of
        return Statement(
            account=account_id,
            head=head,
            lines=tuple(line_of(row, account_id, self._secret) for row in rows),
            hashes=prove_many(hash_of, [row.sequence - 1 for row in shown], head.head.size),
        )

    def _reach(self, sequence: int) -> SignedHead:
        """
        Return a head of a list that holds a step, once the tree has grown so far: it is a moment behind the ledger.
        """
        for _ in range(ROUNDS_MAX):
            with self._database.unit_of_work() as uow:
                head = _last_head(uow, self._party)
            if head is not None and sequence <= head.head.size:
                return head
            self.grow()
        raise StoreError("the tree is far behind the ledger: ask again in a while")

    def _tiles(self, size: int) -> Tiles:
        """
        Return the tree of that size. Each tile is read by itself, so that whoever books does not wait for a proof.
        """

        def load(level: int, place: int) -> bytes:
            with self._database.unit_of_work() as uow:
                return loading(uow)(level, place)

        return Tiles(size, load)


def was_signed(database: Database) -> bool:
    """
    Return whether a head was ever signed.
    """
    with database.unit_of_work() as uow:
        return uow.row("SELECT 1 FROM tree_heads LIMIT 1") is not None


def load_secret(uow: UnitOfWork) -> bytes | None:
    """
    Return what the secret bytes of all leaves are made of, or None where it was not drawn yet.
    """
    row = uow.row("SELECT secret FROM tree_secret")
    return bytes(row[0]) if row else None


def loading(uow: UnitOfWork) -> Load:
    """
    Return how tiles are read: as far as they were written, and empty where they were not.
    """

    def load(level: int, place: int) -> bytes:
        row = uow.row("SELECT hashes FROM tree_tiles WHERE level = ? AND number = ?", level, place)
        return bytes(row[0]) if row else b""

    return load


def _draw_secret(database: Database) -> bytes:
    with database.unit_of_work() as uow:
        secret = load_secret(uow)
        if secret is None:
            if uow.row("SELECT 1 FROM tree_heads LIMIT 1") is not None:
                raise StoreCorrupt("the secret of the tree is missing: restore the database from its backup")
            secret = os.urandom(SECRET_BYTES)
            uow.execute("INSERT INTO tree_secret (number, secret) VALUES (1, ?)", secret)
            uow.commit_aside()
    return secret


def _last_head(uow: UnitOfWork, party: str) -> SignedHead | None:
    row = uow.row("SELECT size, root, at_ms, signature FROM tree_heads ORDER BY size DESC LIMIT 1")
    return None if row is None else SignedHead(TreeHead(party, row[0], row[1], row[2]), row[3])


def _entry_ids(uow: UnitOfWork, account_id: str, *, after: int, limit: int) -> list[str]:
    """
    Return the ids of the steps that made the entries of an account after the one of that number.
    """
    newest = entries_of(uow, account_id, limit=1)
    before = min(after + limit, newest[0].number if newest else 0) + 1
    found: list[str] = []
    while before > after + 1:
        page = entries_of(uow, account_id, before_number=before, limit=min(before - after - 1, ENTRIES_READ_MAX))
        ensure(bool(page), "the entries of an account are numbered without a gap")
        found += [entry.transfer_id for entry in page]
        before = page[-1].number
    return found


def _require_no_gap(rows: list[LeafRow], size: int) -> None:
    if [row.sequence for row in rows] != list(range(size + 1, size + 1 + len(rows))):
        raise StoreCorrupt("a step of the ledger is missing: run handsel check-ledger")


def _over(changed: dict[Place, bytes], load: Load) -> Load:
    return lambda level, place: changed[level, place] if (level, place) in changed else load(level, place)


def _write_tiles(uow: UnitOfWork, changed: dict[Place, bytes]) -> None:
    for (level, place), hashes in changed.items():
        uow.execute(
            "INSERT INTO tree_tiles (level, number, hashes) VALUES (?, ?, ?)"
            " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
            *(level, place, hashes),
        )


def _write_head(uow: UnitOfWork, signed: SignedHead) -> None:
    head = signed.head
    uow.execute(
        "INSERT INTO tree_heads (size, root, at_ms, signature) VALUES (?, ?, ?, ?)",
        *(head.size, head.root, head.at_ms, signed.signature),
    )
