"""
Hold the tables of the ledger. A step that was released is never changed; a new one is added at the end.
"""

from __future__ import annotations

from handsel.store.engine import Migration, Schema

_TABLES = """
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    floor TEXT NOT NULL CHECK (floor IN ('zero', 'none')),
    opened_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER,
    credits_posted INTEGER NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    debits_posted INTEGER NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    debits_pending INTEGER NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    CHECK (floor = 'none' OR debits_posted + debits_pending <= credits_posted)
);

-- Every id that was ever used, and what came of it: 'done', or why it was refused.
CREATE TABLE transfers (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('post', 'reserve', 'capture', 'release', 'expire')),
    debit TEXT,
    credit TEXT,
    amount_minor INTEGER CHECK (amount_minor > 0),
    currency TEXT,
    code TEXT,
    pending_id TEXT,
    outcome TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);

CREATE TABLE pending (
    transfer_id TEXT PRIMARY KEY REFERENCES transfers (id),
    state TEXT NOT NULL CHECK (state IN ('held', 'captured', 'released', 'expired')),
    expires_at_ms INTEGER NOT NULL
);
CREATE INDEX pending_held ON pending (expires_at_ms) WHERE state = 'held';

CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    transfer_id TEXT NOT NULL REFERENCES transfers (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    currency TEXT NOT NULL,
    code TEXT NOT NULL,
    balance_after_minor INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX entries_by_account ON entries (account_id, sequence);
CREATE INDEX entries_by_transfer ON entries (transfer_id);

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are immutable');
END;
CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are immutable');
END;
"""

# One row for a transfer instead of three, ids as bytes and accounts as numbers: that is what a batch needs. Of each
# account, every row names the one before it, so that there is no index to write; milestones lead into the middle.
_SET_ASIDE = """
DROP TRIGGER entries_are_not_changed;
DROP TRIGGER entries_are_not_deleted;
DROP INDEX pending_held;
ALTER TABLE entries RENAME TO old_entries;
ALTER TABLE pending RENAME TO old_pending;
ALTER TABLE transfers RENAME TO old_transfers;
ALTER TABLE accounts RENAME TO old_accounts;
"""

_ROWS = """
CREATE TABLE accounts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    floor TEXT NOT NULL CHECK (floor IN ('zero', 'none')),
    side TEXT NOT NULL CHECK (side IN ('credit', 'debit')),
    opened_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER,
    credits_posted INTEGER NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    debits_posted INTEGER NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    debits_pending INTEGER NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    last INTEGER NOT NULL DEFAULT 0,  -- The sequence of its newest entry.
    entries INTEGER NOT NULL DEFAULT 0,
    CHECK (floor = 'none' OR side = 'debit' OR debits_posted + debits_pending <= credits_posted),
    CHECK (floor = 'none' OR side = 'credit' OR credits_posted + credits_pending <= debits_posted)
);

-- Every id that was ever used, once, in the order of their decisions. A step that was refused stands here without
-- accounts, amount and balances, and with all that was asked in `refused`. One that books names the entry before it on
-- both its accounts (0: there is none), and the balances that it leaves: credits less debits. What rows must keep is
-- checked once at the commit, not row by row, which would take a third of the time of writing them.
CREATE TABLE transfers (
    sequence INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    debit INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    code TEXT NOT NULL,
    pending_id BLOB,
    link_id BLOB,
    happened_at_ms INTEGER,
    at_ms INTEGER NOT NULL,
    debit_previous INTEGER,
    credit_previous INTEGER,
    debit_balance_minor INTEGER,
    credit_balance_minor INTEGER
);

-- What was refused, and why.
CREATE TABLE refused (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    debit TEXT,
    credit TEXT,
    amount_minor INTEGER,
    currency TEXT,
    code TEXT,
    pending_id BLOB,
    link_id BLOB,
    happened_at_ms INTEGER,
    at_ms INTEGER NOT NULL,
    refusal TEXT NOT NULL
);

CREATE TABLE pending (
    transfer_id BLOB PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('held', 'captured', 'released', 'expired')),
    expires_at_ms INTEGER NOT NULL
);
CREATE INDEX pending_held ON pending (expires_at_ms) WHERE state = 'held';

-- Where some of an account's entries are: the 64th, the 128th and so on.
CREATE TABLE milestones (
    account INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (account, number)
);
CREATE INDEX milestones_by_time ON milestones (account, at_ms);
"""

# After the rows of a filled database were brought over, which the triggers allow.
_KEPT = """
CREATE TRIGGER transfers_are_not_changed BEFORE UPDATE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'transfers are immutable');
END;
CREATE TRIGGER transfers_are_not_deleted BEFORE DELETE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'transfers are immutable');
END;
CREATE TRIGGER refused_is_not_changed BEFORE UPDATE ON refused
BEGIN
    SELECT RAISE(ABORT, 'refusals are immutable');
END;
CREATE TRIGGER refused_is_not_deleted BEFORE DELETE ON refused
BEGIN
    SELECT RAISE(ABORT, 'refusals are immutable');
END;
"""

_BROUGHT_OVER = """
CREATE TABLE old_numbered AS
    SELECT e.transfer_id, a.rowid AS account, e.balance_after_minor, t.rowid AS sequence, e.at_ms,
        ROW_NUMBER() OVER (PARTITION BY e.account_id ORDER BY e.sequence) AS number,
        LAG(t.rowid, 1, 0) OVER (PARTITION BY e.account_id ORDER BY e.sequence) AS previous
    FROM old_entries e JOIN old_accounts a ON a.id = e.account_id JOIN old_transfers t ON t.id = e.transfer_id;
CREATE INDEX old_numbered_by_transfer ON old_numbered (sequence, account);
CREATE INDEX old_numbered_by_account ON old_numbered (account, number);

INSERT INTO accounts
    SELECT a.rowid, a.id, a.currency, a.floor, 'credit', a.opened_at_ms, a.closed_at_ms,
        a.credits_posted, a.debits_posted, a.credits_pending, a.debits_pending,
        (SELECT COALESCE(MAX(sequence), 0) FROM old_numbered WHERE account = a.rowid),
        (SELECT COUNT(*) FROM old_numbered WHERE account = a.rowid)
    FROM old_accounts a;
INSERT INTO transfers
    SELECT t.rowid, unhex(t.id), t.kind, d.rowid, c.rowid, COALESCE(t.amount_minor, p.amount_minor),
        COALESCE(t.code, p.code), unhex(t.pending_id), NULL, NULL, t.at_ms,
        de.previous, ce.previous, de.balance_after_minor, ce.balance_after_minor
    FROM old_transfers t
    LEFT JOIN old_transfers p ON p.id = t.pending_id
    JOIN old_accounts d ON d.id = COALESCE(t.debit, p.debit)
    JOIN old_accounts c ON c.id = COALESCE(t.credit, p.credit)
    LEFT JOIN old_numbered de ON de.sequence = t.rowid AND de.account = d.rowid
    LEFT JOIN old_numbered ce ON ce.sequence = t.rowid AND ce.account = c.rowid
    WHERE t.outcome = 'done' ORDER BY t.rowid;
INSERT INTO transfers
    SELECT rowid, unhex(id), 'refused', 0, 0, 0, '', NULL, NULL, NULL, at_ms, NULL, NULL, NULL, NULL
    FROM old_transfers WHERE outcome <> 'done' ORDER BY rowid;
INSERT INTO refused
    SELECT unhex(id), kind, debit, credit, amount_minor, currency, code, unhex(pending_id), NULL, NULL, at_ms, outcome
    FROM old_transfers WHERE outcome <> 'done';
INSERT INTO pending SELECT unhex(transfer_id), state, expires_at_ms FROM old_pending;
INSERT INTO milestones SELECT account, number, sequence, at_ms FROM old_numbered WHERE number % 64 = 0;
DROP TABLE old_numbered;
"""

_OLD_ARE_GONE = """
DROP TABLE old_entries;
DROP TABLE old_pending;
DROP TABLE old_transfers;
DROP TABLE old_accounts;
"""

# Nobody had a ledger in PostgreSQL before.
_NOTHING_TO_BRING = """
DROP TABLE entries;
DROP TABLE pending;
DROP TABLE transfers;
DROP TABLE accounts;
"""

# Which entry of its account, counted from 1, a transfer is on either side: what is proved of it says so.
_NUMBERS = """
ALTER TABLE transfers ADD COLUMN debit_number INTEGER;
ALTER TABLE transfers ADD COLUMN credit_number INTEGER;
CREATE TABLE old_numbered AS
    SELECT sequence, account, ROW_NUMBER() OVER (PARTITION BY account ORDER BY sequence) AS number FROM (
        SELECT sequence, debit AS account FROM transfers WHERE kind IN ('post', 'capture')
        UNION ALL SELECT sequence, credit AS account FROM transfers WHERE kind IN ('post', 'capture')
    ) AS sides;
CREATE INDEX old_numbered_by_transfer ON old_numbered (sequence, account);
UPDATE transfers SET
    debit_number = (SELECT number FROM old_numbered o WHERE o.sequence = transfers.sequence AND account = debit),
    credit_number = (SELECT number FROM old_numbered o WHERE o.sequence = transfers.sequence AND account = credit)
    WHERE kind IN ('post', 'capture');
DROP TABLE old_numbered;
"""

_CHANGE_ONCE = "DROP TRIGGER transfers_are_not_changed;"
_CHANGE_ONCE_POSTGRESQL = """
DROP TRIGGER transfers_are_not_changed ON transfers;
DROP FUNCTION transfers_are_not_changed();
"""
_NO_MORE = """
CREATE TRIGGER transfers_are_not_changed BEFORE UPDATE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'transfers are immutable');
END;
"""

LEDGER_SCHEMA = Schema(
    "ledger",
    (
        _TABLES,
        Migration(
            sqlite=_SET_ASIDE + _ROWS + _BROUGHT_OVER + _OLD_ARE_GONE + _KEPT,
            postgresql=_NOTHING_TO_BRING + _ROWS + _KEPT,
        ),
        Migration(
            sqlite=_CHANGE_ONCE + _NUMBERS + _NO_MORE,
            postgresql=_CHANGE_ONCE_POSTGRESQL + _NUMBERS + _NO_MORE,
        ),
    ),
)
