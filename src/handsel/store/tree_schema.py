"""
Hold the tables of the tree over a party's ledger. A step that was released is never changed; a new one is added.
"""

from __future__ import annotations

from handsel.store.engine import Schema

_TABLES = """
-- What the secret bytes of all leaves are made of. Without it nothing can be opened to anybody any more.
CREATE TABLE tree_secret (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    secret BLOB NOT NULL CHECK (length(secret) = 32)
);

-- The hashes of all complete parts of the tree, 256 in a row: of leaves, of 256 leaves, and so on.
CREATE TABLE tree_tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
);

-- All heads that were ever signed: one for each size.
CREATE TABLE tree_heads (
    size INTEGER PRIMARY KEY CHECK (size > 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    at_ms INTEGER NOT NULL,
    signature BLOB NOT NULL
);
CREATE TRIGGER tree_heads_are_not_changed BEFORE UPDATE ON tree_heads
BEGIN
    SELECT RAISE(ABORT, 'heads are immutable');
END;
CREATE TRIGGER tree_heads_are_not_deleted BEFORE DELETE ON tree_heads
BEGIN
    SELECT RAISE(ABORT, 'heads are immutable');
END;
"""

TREE_SCHEMA = Schema("tree", (_TABLES,))
