"""
How somebody asked is kept beside everything else, at acquirer and issuer, in databases of before too.
"""

from __future__ import annotations

import re
from pathlib import Path

from handsel.pay.asking import Asking
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.acquirer_schema import ACQUIRER_SCHEMA
from handsel.store.asking import ASKING_SCHEMA, find_asking, save_asking
from handsel.store.database import Database
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_schema import ISSUER_SCHEMA
from handsel.store.ledger_schema import LEDGER_SCHEMA

KNOWN = Asking(1, 2, 3, 4, "xo", 5, 6, 7)


def test_who_never_asked_is_not_known_and_who_did_is(tmp_path: Path) -> None:
    database = open_issuer_database(tmp_path / "own" / "ledger.sqlite")
    with database.unit_of_work() as uow:
        save_asking(uow, "one", Asking())
        save_asking(uow, "one", KNOWN)
        uow.commit()
    with database.unit_of_work() as uow:
        assert (find_asking(uow, "one"), find_asking(uow, "two")) == (KNOWN, Asking())
    database.close()


def test_a_database_of_before_is_opened_and_kept(tmp_path: Path) -> None:
    Database.open(tmp_path / "a" / "x.sqlite", schemas=(LEDGER_SCHEMA, ACQUIRER_SCHEMA)).close()
    Database.open(tmp_path / "i" / "x.sqlite", schemas=(LEDGER_SCHEMA, ISSUER_SCHEMA)).close()

    acquirer = AcquirerDatabase.open(tmp_path / "a" / "x.sqlite")
    with acquirer.unit_of_work() as books:
        assert books.asking_of("shop/till") == Asking()
        books.save_asking("shop/till", KNOWN)
        assert books.asking_of("shop/till") == KNOWN
    acquirer.close()
    open_issuer_database(tmp_path / "i" / "x.sqlite").close()


def test_no_column_could_hold_a_person() -> None:
    words = set(re.findall(r"[a-z_]+", str(ASKING_SCHEMA.migrations[0])))

    assert not words & {"palm", "alias", "wallet", "person", "customer", "query", "template", "vector", "score"}
