"""
`handsel bank`: the day that docs/operating-bank.md describes works, command by command, and bad files change nothing.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from copy import copy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from defusedxml import ElementTree

from handsel.bank.iban import Iban
from handsel.bank.orders import Holder
from handsel.bank.read_statement import read_statements
from handsel.bank.reference import parse_reference
from handsel.bank.statement import Movement, Party
from handsel.cli.main import main
from handsel.config import AcquirerConfig, IssuerConfig, load_config
from handsel.flows.acquiring.accounts import merchant_account, settlement
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.flows.issuing.book_statement import book_statements
from handsel.flows.issuing.issuer import Issuer
from handsel.flows.issuing.mandate import MANDATE_VERSION, ask_collection, give_mandate
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.pay.account import settlement_account, wallet_account
from handsel.pay.ledger import Refused, Transfer
from handsel.pay.money import Money
from handsel.store import ledger
from handsel.store.acquirer import AcquirerDatabase
from handsel.wiring.bank_account import required_account
from handsel.wiring.demo import Ports, set_up
from handsel.wiring.issuer_bank import _issuer_without_keys
from tests.bank.camt import OURS, THEIRS, camt
from tests.reference import ROOT
from tests.test_docs import commands_in

ACQUIRERS = "NL91ABNA0417164300"
REFERENCE = "RF966JPDQWT4FERD"
SPENT_MINOR = 150_00
ISSUER_BANK = f"""
[bank]
holder = "Example Bank"
iban = "{OURS}"
creditor_id = "DE98ZZZ09999999999"

[bank.acquirers.acquirer]
holder = "Example Acquirer"
iban = "{ACQUIRERS}"
reference = "{REFERENCE}"
"""
ACQUIRER_BANK = f"""
[bank]
holder = "Example Acquirer"
iban = "{ACQUIRERS}"
settlement_reference = "{REFERENCE}"
"""


class Town:
    """
    Hold the directories of an issuer and an acquirer with a bank each, and a wallet.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        set_up(directory, Ports(8401))
        for party, text in (("issuer", ISSUER_BANK), ("acquirer", ACQUIRER_BANK)):
            path = directory / party / "config.toml"
            before, _, _ = path.read_text().partition("\n[bank]")  # There stands that there is none.
            path.write_text(before.replace("sandbox = true", "sandbox = false") + text)
        issuer = self.issuer()
        self.wallet = open_wallet(issuer).wallet_id
        issuer.database.close()

    def issuer(self) -> Issuer:
        home = self.directory / "issuer"
        config = load_config(home / "config.toml", IssuerConfig, role="issuer", environment={})
        return _issuer_without_keys(config, home, required_account(config.bank))

    def prepare(self) -> str:
        """
        Have money at the issuer for the acquirer, a debit asked for, a payment due; return the wallet's reference.
        """
        issuer = self.issuer()
        holder = Holder("Ann", Iban(THEIRS))
        give_mandate(issuer, self.wallet, holder, mandate_id=new_id(), version=MANDATE_VERSION)
        ask_collection(issuer, self.wallet, collection_id=new_id(), amount=Money(20_00, "EUR"))
        reference = bank_reference(issuer, self.wallet)
        comes = [moved(SPENT_MINOR, "b0", reference=reference)]
        book_statements(issuer, read_statements(camt(comes, name="S-0")))
        owed = settlement_account("acquirer", currency="EUR")
        with issuer.database.unit_of_work() as uow:
            ledger.open_account(uow, owed, now_ms=1)
            wallet = wallet_account(self.wallet, currency="EUR")
            spent = Transfer(new_id(), wallet.id, owed.id, Money(SPENT_MINOR, "EUR"), "redemption")
            assert not isinstance(ledger.post(uow, spent, now_ms=1), Refused)
            uow.commit()
        issuer.database.close()
        self._sell()
        return reference

    def _sell(self) -> None:
        home = self.directory / "acquirer"
        config = load_config(home / "config.toml", AcquirerConfig, role="acquirer", environment={})
        store = AcquirerDatabase.open(home / "ledger.sqlite")
        (shop,) = config.merchants
        with store.unit_of_work() as books:
            uow = books.bank.uow
            uow.insert_many("merchants", ("id", "name", "key_hash"), [(shop, "Shop", None)])
            uow.insert_many("tills", ("id", "merchant_id", "name", "token_hash"), [("t", shop, "t", None)])
            columns = (
                "id",
                "merchant_id",
                "till_id",
                "amount_minor",
                "currency",
                "description",
                "created_ms",
                "status",
            )
            row = (new_id(), shop, "t", 60_00, "EUR", "", 1, "succeeded", "code", 1)
            uow.insert_many("payments", (*columns, "receipt_code", "paid_ms"), [row])
            for account in (settlement("EUR"), merchant_account(shop, currency="EUR")):
                books.open_account(account, now_ms=1)
            paid = Transfer(new_id(), settlement("EUR").id, f"merchant:{shop}:EUR", Money(60_00, "EUR"), "payment")
            assert books.post(paid, now_ms=1) is None
            books.bank.keep_party("p" * 32, Holder("Shop Ltd", Iban(THEIRS)), now_ms=1)
            books.pay_outs.set_account(shop, "p" * 32, now_ms=1)
            books.commit()
        store.close()

    def balance_minor(self) -> int:
        issuer = self.issuer()
        with closing(issuer.database):
            return show_wallet(issuer, self.wallet).balance_minor


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """
    The town as it is at first, to be copied.
    """
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def town(model: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    shutil.copytree(model.directory, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    made = copy(model)
    made.directory = tmp_path
    return made


def today(days: int = 0) -> date:
    return datetime.now(tz=UTC).date() + timedelta(days=days)


def moved(minor: int, name: str, reference: str = "") -> Movement:
    money, sender = Money(abs(minor), "EUR"), Party("Ann", Iban(THEIRS))
    return Movement(money, minor > 0, today().isoformat(), name, reference=reference, party=sender)


def kinds_in_the_document() -> list[list[str]]:
    """
    Return the words of the commands of docs/operating-bank.md, in its order, with a day that is not over.
    """
    text = (ROOT / "docs/operating-bank.md").read_text().replace("2026-12-31", today(2).isoformat())
    return [words[1:] for words in commands_in(text) if words[:2] == ["handsel", "bank"]]


def orders_in(name: str, tag: str = "EndToEndId") -> list[str]:
    root = ElementTree.fromstring(Path(name).read_bytes())
    return [str(each.text) for each in root.iter() if each.tag.endswith(f"}}{tag}")]


def refusal_of(order_id: str) -> bytes:
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts/>'
        f"<OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>{order_id}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "</TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def test_the_day_of_the_document_works_as_it_stands_there(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each command is run as the document has it. Before it, the bank writes the file that it reads.
    """
    reference = town.prepare()
    assert main(["bank", "reference"]) == 0
    assert parse_reference(capsys.readouterr().out.strip())
    seen = []
    for words in kinds_in_the_document():
        kind, party = words[1], "issuer" if "issuer" in " ".join(words) else "acquirer"
        seen.append(f"{kind} {party}")
        if kind == "book-statement" and party == "issuer":
            comes = [moved(5_00, "b1", reference=reference), moved(3_00, "b2"), moved(4_00, "b3")]
            Path("statement.xml").write_bytes(camt(comes, opening=SPENT_MINOR))
        elif kind == "book-statement":
            comes = [moved(50_00, "b1", reference=REFERENCE), moved(-1_50, "b2")]
            Path("statement.xml").write_bytes(camt(comes, iban=ACQUIRERS))
        elif kind == "book-status":
            refused = "settlement.xml" if party == "issuer" else "pay-out.xml"
            Path("status.xml").write_bytes(refusal_of(orders_in(refused)[0]))
        status = main([reference if word == "RF00..." else _movement(word, kind) for word in words])
        said = capsys.readouterr().out
        assert (kind, status) in {(kind, 0), ("reconcile", 1)}, said
        for secret in (OURS, THEIRS, ACQUIRERS, "Ann", "Shop Ltd"):
            assert secret not in said
        if "--out" in words and kind != "reconcile":
            written = Path(words[words.index("--out") + 1])
            assert oct(written.stat().st_mode & 0o777) == "0o600"
            before = written.read_bytes()
            written.unlink()  # As after a crash before it was written.
            assert main(words) == 0
            assert written.read_bytes() == before
            capsys.readouterr()

    assert town.balance_minor() == 8_00
    assert orders_in("settlement.xml", "InstdAmt") == ["50.00"]
    assert orders_in("pay-out.xml", "InstdAmt") == ["60.00"]
    assert orders_in("back.xml", "InstdAmt") == ["4.00"]
    assert orders_in("debits.xml", "InstdAmt") == ["20.00"]
    names = {"book-statement", "reconcile", "assign", "send-back", "collect", "settle", "book-status", "pay-out"}
    assert {each.split()[0] for each in seen} == names | {"reference", "write-off"}
    report = json.loads(Path("report.json").read_text())
    assert [line["name"] for line in report["statements"][1]["differences"]] == ["no_reference"] * 2
    page = Path("report.html")
    assert "no_reference" in page.read_text() and oct(page.stat().st_mode & 0o777) == "0o600"
    for secret in (OURS, THEIRS, ACQUIRERS, "Ann", "Shop Ltd"):
        assert secret not in page.read_text()


def _movement(word: str, kind: str) -> str:
    if word != "MOVEMENT":
        return word
    party, sign = ("issuer", ">") if kind == "assign" else ("acquirer", "<")
    with closing(sqlite3.connect(f"{party}/ledger.sqlite")) as file:
        query = f"SELECT entry_id FROM bank_differences WHERE amount_minor {sign} 0 ORDER BY amount_minor"  # noqa: S608
        return str(file.execute(query).fetchone()[0])


def test_a_statement_is_booked_beside_a_party_that_has_its_file_open(town: Town) -> None:
    issuer = town.issuer()
    Path("statement.xml").write_bytes(camt([moved(5_00, "b1", bank_reference(issuer, town.wallet))]))

    for _ in range(2):
        assert main(["bank", "book-statement", "issuer", "--config", "issuer/config.toml", "statement.xml"]) == 0

    assert show_wallet(issuer, town.wallet).balance_minor == 5_00
    issuer.database.close()


def test_several_files_are_booked_in_their_order_all_or_none(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    movement = moved(5_00, "b1", bank_reference(town.issuer(), town.wallet))
    Path("monday.xml").write_bytes(camt([movement], name="monday"))
    Path("tuesday.xml").write_bytes(camt([], name="tuesday", opening=5_00))
    book = ["bank", "book-statement", "issuer", "--config", "issuer/config.toml"]
    before = contents()

    assert main([*book, "tuesday.xml", "monday.xml"]) == 65
    assert contents() == before
    assert main([*book, "monday.xml", "tuesday.xml"]) == 0

    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "statement monday",
        "statement tuesday",
    ]


def test_nothing_due_is_no_file(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("collect", "settle", "send-back"):
        words = ["bank", kind, "--config", "issuer/config.toml", "--due", today(2).isoformat(), "--out", "none.xml"]
        assert main(words) == 1
        assert "nothing is due" in capsys.readouterr().out
    assert not Path("none.xml").exists()


def contents() -> list[str]:
    with closing(sqlite3.connect("issuer/ledger.sqlite")) as file:
        return list(file.iterdump())


BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Document>&b;</Document>'


@pytest.mark.parametrize(
    ("raw", "status"),
    [(None, 66), (b"", 65), (b"not XML", 65), (BOMB, 65), (camt([], iban=THEIRS), 65), (camt([], opening=-1), 65)],
)
def test_a_bad_file_is_refused_by_name_and_changes_nothing(
    town: Town, raw: bytes | None, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    if raw is not None:
        Path("bad.xml").write_bytes(raw)
    before = contents()

    assert main(["bank", "book-statement", "issuer", "--config", "issuer/config.toml", "bad.xml"]) == status

    said = capsys.readouterr()
    assert said.err.startswith("handsel: ") and THEIRS not in said.err
    assert contents() == before


@pytest.mark.parametrize(
    ("party", "old", "new"),
    [
        ("issuer", OURS, OURS[:-1] + "1"),
        ("issuer", 'holder = "Example Bank"', f'holder = "{"x" * 71}"'),
        ("issuer", f'iban = "{OURS}"\n', ""),
        ("issuer", "[bank.acquirers.acquirer]", "[bank.acquirers.other]"),
        ("issuer", ISSUER_BANK, ""),
        ("issuer", "sandbox = false", "sandbox = true"),
        ("issuer", REFERENCE, "RF00"),
        ("acquirer", REFERENCE, "RF00"),
        ("acquirer", ACQUIRERS, ACQUIRERS[:-1] + "1"),
        ("acquirer", ACQUIRER_BANK, ACQUIRER_BANK + "pay_out_minor_min = 0\n"),
    ],
)
def test_wrong_settings_are_named(
    town: Town, party: str, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(party) / "config.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    file = ["--due", today(2).isoformat(), "--out", "none.xml"]
    Path("statement.xml").write_bytes(camt([], iban=ACQUIRERS))
    settle, book = ["settle", *file], ["book-statement", party, "statement.xml"]

    assert main(["bank", *(settle if party == "issuer" else book), "--config", str(path)]) == 78

    said = capsys.readouterr().err
    assert OURS not in said and ACQUIRERS not in said


@pytest.mark.parametrize("day", ["soon", "2026-13-01"])
def test_a_day_is_written_as_a_day(town: Town, day: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bank", "collect", "--config", "issuer/config.toml", "--out", "x", "--due", day])
    assert "2026-12-31" in capsys.readouterr().err


def test_less_than_nothing_is_not_kept(town: Town) -> None:
    words = ["bank", "settle", "--config", "issuer/config.toml", "--due", today(2).isoformat(), "--out", "x"]
    assert main([*words, "--keep", "-1"]) == 65
