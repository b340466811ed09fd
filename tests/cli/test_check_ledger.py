"""
`handsel check-ledger` finds what was changed behind the ledger's back, and says where.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from handsel.cli.main import main
from handsel.errors import ConfigError
from handsel.proof.head import TreeKey
from handsel.store import ledger
from handsel.store.acquirer import SCHEMAS
from handsel.store.database import Database
from handsel.wiring.demo import Ports, set_up
from handsel.wiring.open_tree import open_tree
from handsel.wiring.paths import CONFIG_FILE, DATABASE_FILE, TREE_KEY_FILE, TREE_PUBLIC_FILE
from tests.store.small_ledger import FUNDS, WALLET, move


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """
    The directory of an acquirer whose ledger has three entries of one account.
    """
    set_up(tmp_path, Ports(8401))
    home = tmp_path / "acquirer"
    database = Database.open(home / DATABASE_FILE, schemas=SCHEMAS)
    with database.unit_of_work() as uow:
        for account in (FUNDS, WALLET):
            ledger.open_account(uow, account, now_ms=0)
        for minor in (450, 700, 300):
            ledger.post(uow, move(minor), now_ms=1)
        uow.commit()
    open_tree(database, home, party="acquirer", clock=lambda: 2).grow()
    database.close()
    return home


def check(home: Path) -> int:
    return main(["check-ledger", "acquirer", "--config", str(home / CONFIG_FILE)])


def test_a_ledger_that_fits_is_said_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(home) == 0
    assert "all heads fit" in capsys.readouterr().out


def test_a_changed_step_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(home, "DROP TRIGGER transfers_are_not_changed", "UPDATE transfers SET at_ms = 0 WHERE sequence = 2")

    assert check(home) == 1
    assert "WRONG: step 2 is not what was signed" in capsys.readouterr().out


def test_what_is_in_no_leaf_is_audited(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(home, "UPDATE accounts SET credits_pending = 1")

    assert check(home) == 1
    assert "WRONG: this does not hold: what an account has reserved" in capsys.readouterr().out


def test_heads_of_another_key_than_the_one_that_was_kept_are_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.pub"
    kept.write_bytes(msgspec.json.encode(TreeKey("acquirer", bytes(32))))

    assert main(["check-ledger", "acquirer", "--config", str(home / CONFIG_FILE), "--key", str(kept)]) == 1
    assert "WRONG: the head of size 3 is not signed with this key" in capsys.readouterr().out


def test_the_settings_of_another_party_are_refused(home: Path) -> None:
    assert main(["check-ledger", "issuer", "--config", str(home / CONFIG_FILE)]) == 78


def test_a_lost_key_is_not_replaced_by_another(home: Path) -> None:
    database = Database.open(home / DATABASE_FILE, schemas=SCHEMAS)
    (home / TREE_KEY_FILE).unlink()

    with pytest.raises(ConfigError, match="restore it"):
        open_tree(database, home, party="acquirer", clock=lambda: 2)
    assert not (home / TREE_KEY_FILE).exists()
    database.close()


def test_the_public_half_is_beside_the_key_and_comes_back(home: Path) -> None:
    told = (home / TREE_PUBLIC_FILE).read_bytes()
    (home / TREE_PUBLIC_FILE).unlink()
    database = Database.open(home / DATABASE_FILE, schemas=SCHEMAS)

    opened = open_tree(database, home, party="acquirer", clock=lambda: 2)
    database.close()

    assert (home / TREE_PUBLIC_FILE).read_bytes() == told
    assert msgspec.json.decode(told, type=TreeKey) == opened.public


def tamper(home: Path, *changes: str) -> None:
    connection = sqlite3.connect(home / DATABASE_FILE)
    for change in changes:
        connection.execute(change)
    connection.commit()
    connection.close()
