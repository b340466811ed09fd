"""
Hold the tables of what a party does with its bank: the same for issuer and acquirer, beside those of the ledger.

The account and name of whoever is not the party itself are in none of them: each points, by `party_id`, to where its
party keeps them (`bank_parties`), and to nothing once that is gone. A step that was released is never changed.
"""

from __future__ import annotations

from handsel.store.engine import Schema

_TABLES = """
-- One file for the bank.
CREATE TABLE bank_batches (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('pay_out', 'settlement', 'return', 'collection')),
    due_on TEXT NOT NULL,
    made_ms INTEGER NOT NULL
);

-- What a file asks for, one by one. The subject is whose money it is.
CREATE TABLE bank_orders (
    id TEXT PRIMARY KEY,
    batch_id TEXT NOT NULL REFERENCES bank_batches (id),
    position INTEGER NOT NULL,
    block_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    party_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    text TEXT NOT NULL,
    due_on TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ordered', 'done', 'refused', 'returned')),
    reason TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    UNIQUE (batch_id, position)
);
CREATE INDEX bank_orders_by_block ON bank_orders (block_id);
CREATE INDEX bank_orders_by_subject ON bank_orders (subject);
CREATE INDEX bank_orders_open ON bank_orders (due_on) WHERE state = 'ordered';

CREATE TABLE bank_statements (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    bank_name TEXT NOT NULL,  -- What the bank calls it.
    digest BLOB NOT NULL,
    opening_minor INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    last_day TEXT NOT NULL,
    booked_ms INTEGER NOT NULL
);

-- Every movement that the bank has booked, and what it was taken for.
CREATE TABLE bank_entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    statement_id TEXT NOT NULL REFERENCES bank_statements (id),
    digest BLOB NOT NULL,
    change_minor INTEGER NOT NULL CHECK (change_minor <> 0),
    end_to_end_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    outcome TEXT NOT NULL,
    subject TEXT NOT NULL,
    party_id TEXT,
    is_taken_back INTEGER NOT NULL DEFAULT 0 CHECK (is_taken_back IN (0, 1))
);
CREATE INDEX bank_entries_by_statement ON bank_entries (statement_id);
CREATE INDEX bank_entries_by_subject ON bank_entries (subject);
CREATE INDEX bank_entries_by_party ON bank_entries (party_id) WHERE party_id IS NOT NULL;
CREATE INDEX bank_entries_by_end_to_end_id ON bank_entries (end_to_end_id);

-- What does not agree. The amount has the sign of the movement.
CREATE TABLE bank_differences (
    entry_id TEXT PRIMARY KEY REFERENCES bank_entries (id),
    statement_id TEXT NOT NULL REFERENCES bank_statements (id),
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    settled_ms INTEGER
);

-- Money that is here and is nobody's: to be paid back, or given to whom it belongs.
CREATE TABLE bank_suspense (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    reason TEXT NOT NULL,
    party_id TEXT,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'returning', 'returned', 'assigned', 'taken_back')),
    since_ms INTEGER NOT NULL
);
CREATE INDEX bank_suspense_open ON bank_suspense (number) WHERE state = 'open';
"""

# A statement that was left out, and booked after later ones: the next one does not begin where it has ended.
# `last_day` runs on with the statements as they were booked, `closed_on` is a statement's own.
_LATE = """
ALTER TABLE bank_statements ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0 CHECK (is_late IN (0, 1));
ALTER TABLE bank_statements ADD COLUMN closed_on TEXT NOT NULL DEFAULT '';
UPDATE bank_statements SET closed_on = last_day;
"""

BANK_SCHEMA = Schema("bank", (_TABLES, _LATE))
