"""
Hold the tables of the ledger. A step that was released is never changed; a new one is added at the end.
"""

from __future__ import annotations

from handsel.store.database import Schema

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

LEDGER_SCHEMA = Schema("ledger", (_TABLES,))
