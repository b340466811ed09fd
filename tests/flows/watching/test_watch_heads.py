"""
Promise that a party that shows two histories is noticed by whoever deals with it, and that this is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handsel.errors import BodyInvalid, HandselError, InvariantBroken, NotFound, PartyUnavailable, SignatureInvalid
from handsel.flows.watching.watch_heads import Watched, watch_heads
from handsel.proof.head import GrowthProof, SignedHead, sign_head
from handsel.proof.merkle import prove_consistency
from handsel.store.database import Database
from handsel.store.heads_seen import HEADS_SEEN_SCHEMA, SeenHeads, find_seen, save_contradiction, save_seen
from handsel.store.tree_schema import TREE_SCHEMA
from tests.proof.small_book import KEY, PUBLIC, Book

NOW_MS = 1_800_000_000_000
SCHEMAS = (TREE_SCHEMA, HEADS_SEEN_SCHEMA)


class Shown:
    """
    Show a book's heads to whoever asks: the newest, or `said`, and proofs of its own list.
    """

    def __init__(self, *minors: int) -> None:
        self.book = Book()
        for minor in minors:
            self.book.add(minor)
        self.said: SignedHead | None = None
        self.refuses: HandselError | None = None
        self.asked = 0

    def newest(self) -> SignedHead:
        self.asked += 1
        if self.refuses is not None:
            raise self.refuses
        return self.said or self.book.head()

    def growth(self, *, first: int, second: int) -> GrowthProof:
        if second > len(self.book.leaves):
            raise BodyInvalid("ask for two sizes")
        return GrowthProof(first, second, prove_consistency(self.book.hash_of(), first, second))


@pytest.fixture
def database(tmp_path: Path, engine: str) -> Iterator[Database]:
    made = Database.open(tmp_path / "own" / "ledger.sqlite", schemas=SCHEMAS)
    yield made
    made.close()


def test_a_database_from_before_has_seen_nobody(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "own" / "ledger.sqlite"
    Database.open(path, schemas=SCHEMAS[:1]).close()

    database = Database.open(path, schemas=SCHEMAS)

    assert kept(database) is None
    assert look(database, Shown(100)) == kept(database)
    database.close()


def look(database: Database, shown: Shown, *, after_ms: int = 0) -> SeenHeads:
    return watch_heads(database, Watched("acquirer", PUBLIC, shown), now_ms=NOW_MS + after_ms)


def kept(database: Database) -> SeenHeads | None:
    with database.unit_of_work() as uow:
        return find_seen(uow, "acquirer")


def test_a_ledger_that_only_grows_is_followed(database: Database) -> None:
    shown = Shown(100, 200)

    assert look(database, shown) == SeenHeads("acquirer", shown.book.head(), NOW_MS)
    shown.book.add(300)
    shown.book.add(400)
    assert look(database, shown, after_ms=1) == SeenHeads("acquirer", shown.book.head(), NOW_MS + 1)
    assert look(database, shown, after_ms=2) == SeenHeads("acquirer", shown.book.head(), NOW_MS + 2)
    assert kept(database) == SeenHeads("acquirer", shown.book.head(), NOW_MS + 2)


@pytest.mark.parametrize("minors", [(100, 201), (100, 201, 300), (999,)], ids=["same size", "longer", "shorter"])
def test_another_history_is_noticed_and_stays_noticed(database: Database, minors: tuple[int, ...]) -> None:
    honest, other = Shown(100, 200), Shown(*minors)
    look(database, honest)

    found = look(database, other, after_ms=1)

    assert found == SeenHeads("acquirer", honest.book.head(), NOW_MS, other.book.head(), NOW_MS + 1)
    asked = honest.asked
    honest.book.add(300)
    assert look(database, honest, after_ms=2) == found == kept(database)
    assert honest.asked == asked


def test_both_heads_that_are_kept_convict_without_anybody_s_help(database: Database) -> None:
    look(database, Shown(100, 200))

    found = look(database, Shown(100, 201))

    assert found.contradicting is not None
    assert found.head.verify(PUBLIC).size == found.contradicting.verify(PUBLIC).size
    assert found.head.head.root != found.contradicting.head.root


def test_a_party_that_has_lost_steps_is_noticed(database: Database) -> None:
    """
    As after a restore of an old backup: it signed more than it has, and cannot prove it.
    """
    look(database, Shown(100, 200, 300))

    assert look(database, Shown(100, 200)).contradicting is not None


def test_an_older_head_is_no_news_where_it_is_the_beginning(database: Database) -> None:
    shown = Shown(100, 200)
    old = shown.book.head()
    shown.book.add(300)
    look(database, shown)
    newest, shown.said = shown.book.head(), old

    assert look(database, shown, after_ms=1) == SeenHeads("acquirer", newest, NOW_MS + 1)


def test_what_the_party_has_not_signed_convicts_nobody(database: Database) -> None:
    shown, forger = Shown(100, 200), Ed25519PrivateKey.generate()
    before = look(database, shown)
    head = shown.book.head().head
    of_another = msgspec.structs.replace(head, party="issuer")
    for forged in (sign_head(head, forger), sign_head(of_another, KEY)):
        shown.said = forged
        with pytest.raises(SignatureInvalid):
            look(database, shown, after_ms=1)

    assert kept(database) == before


@pytest.mark.parametrize("refuses", [PartyUnavailable("away"), NotFound("nothing was booked yet")])
def test_who_does_not_answer_is_asked_again(database: Database, refuses: HandselError) -> None:
    shown = Shown(100)
    before, shown.refuses = look(database, shown), refuses

    with pytest.raises(type(refuses)):
        look(database, shown, after_ms=1)

    assert kept(database) == before
    shown.refuses = None
    assert look(database, shown, after_ms=2).heard_at_ms == NOW_MS + 2


def test_a_contradiction_is_never_written_over(database: Database) -> None:
    look(database, Shown(100, 200))
    look(database, Shown(100, 201))
    head = Shown(100, 200, 300).book.head()

    with database.unit_of_work() as uow, pytest.raises(InvariantBroken):
        save_seen(uow, "acquirer", head, now_ms=NOW_MS)
    with database.unit_of_work() as uow, pytest.raises(InvariantBroken):
        save_contradiction(uow, "acquirer", head, now_ms=NOW_MS)
