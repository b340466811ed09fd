"""
Keep the acquirer's books: in a database of its own, one unit of work at a time. Nothing here decides: the flows do.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from handsel.pay.account import Account
from handsel.pay.asking import Asking
from handsel.pay.ledger import Refusal, Refused, Transfer
from handsel.store import ledger
from handsel.store.acquirer_captures import CaptureTable
from handsel.store.acquirer_disputes import DisputeTable
from handsel.store.acquirer_enrolments import EnrolmentTable
from handsel.store.acquirer_merchants import MerchantTables
from handsel.store.acquirer_notes import NoteTables, watch_held
from handsel.store.acquirer_pay_outs import PayOutTables
from handsel.store.acquirer_payments import PaymentTables
from handsel.store.acquirer_refunds import RefundTables
from handsel.store.acquirer_schema import ACQUIRER_SCHEMA
from handsel.store.asking import ASKING_SCHEMA, find_asking, save_asking
from handsel.store.bank import BankTables
from handsel.store.bank_parties import OpenParties
from handsel.store.bank_schema import BANK_SCHEMA
from handsel.store.database import Database, UnitOfWork
from handsel.store.heads_seen import HEADS_SEEN_SCHEMA
from handsel.store.ledger_schema import LEDGER_SCHEMA
from handsel.store.tree_schema import TREE_SCHEMA

SCHEMAS = (LEDGER_SCHEMA, ACQUIRER_SCHEMA, ASKING_SCHEMA, TREE_SCHEMA, BANK_SCHEMA, HEADS_SEEN_SCHEMA)


class AcquirerDatabase:
    """
    Hold the acquirer's database. Several threads may use it; their units of work follow one another.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def database(self) -> Database:
        """
        Return the database itself, over whose ledger a tree is kept.
        """
        return self._database

    @classmethod
    def open(cls, path: Path, *, url: str = "") -> AcquirerDatabase:
        """
        Open the file at `path`, made if there is none, or the PostgreSQL database at `url`.

        Raises `ConfigError`, `StoreError` and `StoreCorrupt`.
        """
        return cls(Database.open(path, url=url, schemas=SCHEMAS, rules=(watch_held,)))

    def unit_of_work(self) -> AcquirerTransaction:
        """
        Return a unit of work: `with store.unit_of_work() as books: …; books.commit()`. Not committing rolls back.
        """
        return AcquirerTransaction(self._database.unit_of_work())

    def close(self) -> None:
        """
        Close the file. No unit of work can begin after that.
        """
        self._database.close()


class AcquirerTransaction:
    """
    Open the books for one unit of work. Units do not nest.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def __enter__(self) -> AcquirerBooks:
        """
        Wait for the turn, and begin. Raises `StoreError` where the turn does not come.
        """
        return AcquirerBooks(self._uow.__enter__())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Undo whatever was not committed.
        """
        self._uow.__exit__(kind, error, trace)


class AcquirerBooks:
    """
    Hold all tables of the acquirer and its ledger, within one unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self.merchants = MerchantTables(uow)
        self.payments = PaymentTables(uow)
        self.refunds = RefundTables(uow)
        self.notes = NoteTables(uow)
        self.captures = CaptureTable(uow)
        self.enrolments = EnrolmentTable(uow)
        self.disputes = DisputeTable(uow)
        self.bank = BankTables(uow, OpenParties())
        self.pay_outs = PayOutTables(uow)

    def open_account(self, account: Account, *, now_ms: int) -> None:
        """
        Open an account, unless it is open. Raises `IdReused` where its name stands for another kind of account.
        """
        ledger.open_account(self._uow, account, now_ms=now_ms)

    def post(self, transfer: Transfer, *, now_ms: int) -> Refusal | None:
        """
        Book a transfer, and return why not where it is refused.
        """
        outcome = ledger.post(self._uow, transfer, now_ms=now_ms)
        return outcome.refusal if isinstance(outcome, Refused) else None

    def balance_minor(self, account_id: str) -> int:
        """
        Return the balance of an account, 0 where there is none of that name.
        """
        state = ledger.account_state(self._uow, account_id)
        return state.balance_minor if state else 0

    def available_minor(self, account_id: str) -> int:
        """
        Return what is on an account and not reserved, 0 where there is none of that name.
        """
        state = ledger.account_state(self._uow, account_id)
        return state.available_minor if state else 0

    def asking_of(self, till_id: str) -> Asking:
        """
        Return how often, and how often in vain, a till has asked with palms.
        """
        return find_asking(self._uow, till_id)

    def save_asking(self, till_id: str, asking: Asking) -> None:
        """
        Keep how often a till has asked.
        """
        save_asking(self._uow, till_id, asking)

    def audit(self) -> None:
        """
        Recompute the whole ledger. Raises `InvariantBroken` where anything differs.
        """
        ledger.audit(self._uow)

    def commit(self) -> None:
        """
        Make all checks, then keep all that was done, on disk before this returns.
        """
        self._uow.commit()
