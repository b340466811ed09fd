"""
What is left on disk after the story: each party's own, private, and nothing that it must never see.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handsel.log import FIELDS
from handsel.pay.payment import booking_of
from handsel.proof.head import SignedHead, TreeKey
from handsel.proof.statement import Statement, missing_payments, verify_statement
from handsel.wiring.actors import open_http
from handsel.wiring.demo import DEMO_MERCHANT, DEMO_MERCHANT_NAME, Demo
from handsel.wiring.guests import drawn_guests
from tests.journeys.conftest import Running

pytestmark = pytest.mark.journey

ALWAYS_LOGGED = {"at_ms", "party", "event"}
AN_ID = re.compile(r"[0-9a-f]{32}")
PARTIES = ("issuer", "acquirer", "matcher-a", "matcher-b", "matcher-c", "till")
MATCHERS = ("matcher-a", "matcher-b", "matcher-c")


@dataclass(frozen=True)
class Traces:
    """
    Hold what was used in the story, and where all of it was kept.
    """

    demo: Demo
    wallet_id: str
    alias: bytes
    code: str
    payment_intent: str

    def files_of(self, *parties: str) -> Iterator[Path]:
        """
        Yield every file of some parties.
        """
        for party in parties:
            yield from (path for path in (self.demo.directory / party).rglob("*") if path.is_file())

    def holders(self, needle: bytes) -> set[str]:
        """
        Return the parties of whom some file holds these bytes.
        """
        return {party for party in PARTIES if any(needle in path.read_bytes() for path in self.files_of(party))}


def rows_of(demo: Demo, party: str, sql: str) -> list[tuple[Any, ...]]:
    """
    Return what stands in a party's database.
    """
    database = demo.directory / party / "ledger.sqlite"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as ledger:
        return ledger.execute(sql).fetchall()


@pytest.fixture(scope="module")
def traces(running: Running) -> Traces:
    """
    Enrol somebody, pay and be paid back, while everything runs on.
    """
    guest = drawn_guests(1, 0)[0][0]
    customer = running.customer()
    code = customer.prepare()
    outcomes = [running.till.enrol(code, guest.enrolment).screen]
    running.till.dismiss()
    payment_intent = running.shop.ask()
    outcomes.append(running.till.pay(guest.visits[0]).screen)
    running.till.dismiss()
    running.shop.give_back(payment_intent)
    outcomes.append(running.till.take_back(guest.visits[0]).screen)
    assert outcomes == ["enrolled", "paid", "refunded"]
    [(wallet_id, alias)] = rows_of(running.demo, "issuer", "SELECT wallet_id, alias FROM palms")
    return Traces(running.demo, wallet_id, alias, code, payment_intent)


def test_everything_is_its_owners_alone(traces: Traces) -> None:
    """
    Directories are 0700 and files 0600, those that the databases make beside their own among them.
    """
    found = list(traces.demo.directory.rglob("*"))

    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
    assert any(path.name.endswith("-wal") for path in found)


def test_logs_are_structured_and_name_nobody(traces: Traces) -> None:
    """
    Every line is JSON with fields of the closed list; nothing in it looks like an id, and the code is not there.
    """
    lines = [
        line for party in PARTIES for line in (traces.demo.directory / party / "log.jsonl").read_text().splitlines()
    ]

    assert len(lines) > len(PARTIES)
    assert {field for line in lines for field in json.loads(line)} <= FIELDS | ALWAYS_LOGGED
    assert [line for line in lines if AN_ID.search(line) or traces.code in line] == []


def test_a_wallet_is_known_to_the_issuer_alone(traces: Traces) -> None:
    """
    Nobody else ever holds a wallet's id.
    """
    assert traces.holders(traces.wallet_id.encode()) == {"issuer"}


def test_an_alias_is_whole_at_the_issuer_alone(traces: Traces) -> None:
    """
    The matchers hold shares of it, of which none is the alias.
    """
    assert traces.holders(traces.alias) == {"issuer"}


def test_a_payment_is_known_to_the_acquirer_alone(traces: Traces) -> None:
    """
    The issuer and the matchers never learn which payment a palm was shown for; the till forgets it once it is paid.
    """
    assert traces.holders(traces.payment_intent.encode()) == {"acquirer"}


def test_issuer_and_acquirer_know_the_charge_by_two_ids_and_neither_keeps_the_others(traces: Traces) -> None:
    """
    The till may still have to bring the receipt, and the acquirer's log of its database the page before this one.
    """
    [(charge_id, order_id, digest)] = rows_of(
        traces.demo, "acquirer", "SELECT id, order_id, return_digest FROM charges"
    )
    [(known_as,)] = rows_of(traces.demo, "issuer", "SELECT id FROM charges")

    assert (order_id, len(digest)) == (None, 32)
    assert traces.holders(charge_id.encode()) - {"till"} == {"acquirer"}
    assert traces.holders(known_as.encode()) - {"acquirer"} == {"issuer"}
    assert known_as.encode() not in (traces.demo.directory / "acquirer" / "ledger.sqlite").read_bytes()


def test_the_shop_is_known_to_the_acquirer_alone(traces: Traces) -> None:
    """
    No other party's files name the merchant.
    """
    assert traces.holders(DEMO_MERCHANT.encode()) == {"acquirer"}
    assert traces.holders(DEMO_MERCHANT_NAME.encode()) == {"acquirer"}


def test_an_enrolment_code_is_known_to_the_issuer_alone(traces: Traces) -> None:
    """
    The acquirer carries it sealed, and the till forgets it.
    """
    assert traces.holders(traces.code.encode()) == {"issuer"}


def test_a_secret_that_is_somewhere_is_found(traces: Traces) -> None:
    """
    The search can find: what was put into a party's directory is seen there.
    """
    assert traces.holders(b"[parties.issuer]") == {"issuer", *MATCHERS, "till"}


def test_what_was_paid_and_paid_back_is_proved_by_files_alone(traces: Traces) -> None:
    """
    The acquirer's public key lies in its directory; the shop has its list, and asks for nothing else.
    """
    key = msgspec.json.decode((traces.demo.directory / "acquirer" / "tree.pub").read_bytes(), type=TreeKey)
    shown = {"Authorization": f"Bearer {traces.demo.merchant_key.reveal()}"}
    with open_http() as http:
        answer = http.get(f"{traces.demo.acquirer_api}/v1/statement?currency=eur", headers=shown)
        heads = [http.get(f"{api}/v1/tree_head") for api in (traces.demo.acquirer_api, traces.demo.issuer_api)]
    statement = msgspec.json.decode(answer.content, type=Statement)

    proved = verify_statement(statement, key=key)

    assert (proved.first, proved.last, proved.closing_minor) == (1, 2, 0)
    made = {booking_of(traces.payment_intent, currency="EUR"): proved.by_code["payment"]}
    assert missing_payments(statement, made) == ()
    parties = [msgspec.json.decode(head.content, type=SignedHead).head.party for head in heads]
    assert parties == ["acquirer", "issuer"]
