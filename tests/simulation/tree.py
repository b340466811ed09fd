"""
Know what is true of the trees over the ledgers, and compare in every calm.

1. The tree covers all steps of its ledger, and each head is signed and has the root over just the first steps.
2. A head that was seen once stays as it is; there is one for each size.
3. A step that is drawn is proved to be in the newest head, and every head that was seen to be its beginning.

The roots are made here once more, leaf by leaf, and each leaf is read when it is new. What is changed afterwards is
found by the check of the whole tree, in every fourth calm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from handsel.errors import HandselError
from handsel.flows.acquiring.prove_payments import prove_receipt
from handsel.proof.head import SignedHead, TreeHead, TreeKey, public_half, verify_growth
from handsel.proof.merkle import node_hash
from handsel.proof.receipt import verify_receipt
from handsel.store.database import Database
from handsel.store.tree import Tree, load_secret
from handsel.store.tree_check import check_tree
from handsel.store.tree_leaves import hash_of_row, rows_after
from tests.flows.issuing.scene import TREE_KEY
from tests.simulation.schedule import Turn

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.disk import Disk
    from tests.simulation.issuer_party import IssuerProcess
    from tests.simulation.process import Process
    from tests.simulation.world import World

GROW_INTERVAL_MS = 20_000.0  # A real one grows once a second; each head is signed and verified.
STEP_MS = 100
ROWS_MAX = 100_000


@dataclass
class Watched:
    """
    Hold what was seen of one party's tree: its heads by size, and the peaks of the list so far, the highest first.
    """

    heads: dict[int, SignedHead] = field(default_factory=dict)
    peaks: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0

    def add(self, hashed: bytes) -> None:
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            hashed, height = node_hash(self.peaks.pop()[1], hashed), height + 1
        self.peaks.append((height, hashed))
        self.size += 1

    def root(self) -> bytes:
        hashed = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            hashed = node_hash(peak, hashed)
        return hashed


class Trees:
    """
    Hold what is known of all trees.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._watched: dict[str, Watched] = {}

    def judge(self, *, is_last: bool) -> None:
        """
        Let every tree grow to its end, and compare. What does not fit is told to the world.
        """
        issuer = self._world.issuer
        self._judge(issuer, issuer.disk, issuer.issuer.database, issuer.issuer.tree, is_last=is_last)
        for each in self._world.acquirers:
            self._judge(each, each.disk, each.acquirer.store.database, each.acquirer.tree, is_last=is_last)

    def _judge(self, process: Process, disk: Disk, database: Database, tree: Tree, *, is_last: bool) -> None:
        party = "issuer" if process is self._world.issuer else "acquirer"
        key, watched = public_half(TREE_KEY, party=party), self._watched.setdefault(process.name, Watched())
        try:
            self._grow(tree)
            self._compare_heads(disk, database, watched, key)
            if watched.size in watched.heads:
                self._prove(process, disk, tree, watched, key)
            findings = check_tree(database, key) if is_last else ()
        except HandselError as exc:
            self._world.violated(f"the tree of {process.name} does not fit: {exc}")
            return
        self._world.truth.require(not findings, f"the tree of {process.name}: {', '.join(findings)}")

    def _grow(self, tree: Tree) -> None:
        turn: Turn = vars(tree)["_growing"]
        while turn.is_held:
            self._world.schedule.run_until(self._world.schedule.now_ms + STEP_MS)
        while tree.grow():
            continue

    def _compare_heads(self, disk: Disk, database: Database, watched: Watched, key: TreeKey) -> None:
        """
        Take in what is new, and compare all that is known.
        """
        require, since = self._world.truth.require, watched.size
        rows = disk.rows("SELECT size, root, at_ms, signature FROM tree_heads ORDER BY size")
        heads = {row[0]: SignedHead(TreeHead(key.party, *row[:3]), row[3]) for row in rows}
        require(len(heads) == len(rows), "there are two heads of one size")
        require(watched.heads.items() <= heads.items(), "a head that was signed is gone, or is another")
        with database.unit_of_work() as uow:
            leaves = rows_after(uow, since, limit=ROWS_MAX)
            secret = load_secret(uow) or b""
        for row in leaves:
            require(row.sequence == watched.size + 1, "a step of the ledger is missing")
            watched.add(hash_of_row(row, secret))
            head = heads.get(watched.size)
            if head is not None:
                require(head.verify(key).root == watched.root(), "a head is not that of the steps before it")
        steps = disk.rows("SELECT COALESCE(MAX(sequence), 0) FROM transfers")[0][0]
        require(max(heads, default=0) == watched.size >= steps, "the tree does not cover all steps")
        watched.heads = heads

    def _prove(self, process: Process, disk: Disk, tree: Tree, watched: Watched, key: TreeKey) -> None:
        """
        Have a step and an earlier head be proved. Raises `ProofInvalid` and `SignatureInvalid`.
        """
        rng, newest = self._world.rng, watched.heads[watched.size]
        older = watched.heads[rng.choice(list(watched.heads))]
        proof = tree.growth(first=older.head.size, second=newest.head.size)
        verify_growth(older, newest, proof, key=key)
        for acquirer in self._world.acquirers:
            if acquirer is process:
                self._prove_payment(acquirer, key)
                return
        steps = disk.rows("SELECT id FROM transfers WHERE kind = 'post' ORDER BY sequence DESC LIMIT 20")
        (step_id,) = rng.choice(steps)
        proved = verify_receipt(tree.receipt(step_id.hex()), key=key)
        self._world.truth.require(proved.leaf.id == step_id.hex(), "another step is proved than was asked for")

    def _prove_payment(self, acquirer: AcquirerProcess, key: TreeKey) -> None:
        truth = self._world.truth
        newest = "WHERE paid_ms IS NOT NULL ORDER BY paid_ms DESC LIMIT 20"
        rows = acquirer.disk.rows(f"SELECT id, receipt_code, merchant_id FROM payments {newest}")  # noqa: S608
        if not rows:
            return
        payment_id, receipt_code, merchant_id = self._world.rng.choice(rows)
        proved = verify_receipt(prove_receipt(acquirer.acquirer, receipt_code), key=key)
        truth.require(proved.leaf.amount_minor == truth.paid[payment_id], "another payment is proved than is paid")
        truth.require(proved.credited == f"merchant:{merchant_id}:EUR", "a payment to another shop is proved")


def let_grow(process: IssuerProcess | AcquirerProcess, tree: Tree) -> None:
    """
    Have a tree grow by itself in its process.
    """
    vars(tree)["_growing"] = Turn(process.world.schedule)
    process.repeat(GROW_INTERVAL_MS, tree.grow)
