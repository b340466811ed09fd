"""
Hold the tables of the issuer, beside those of the ledger. A step that was released is never changed.

There is no merchant, no shop, no till and no place in these tables, and there must never be one. The one exception is
what a customer asks for by name: `named_shops` and `named_payments`.
"""

from __future__ import annotations

from handsel.store.engine import Schema

_TABLES = """
CREATE TABLE wallets (
    id TEXT PRIMARY KEY,
    key_digest BLOB UNIQUE,
    currency TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    closed_at_ms INTEGER
);

CREATE TABLE consents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    version TEXT NOT NULL,
    given_at_ms INTEGER NOT NULL,
    withdrawn_at_ms INTEGER
);
CREATE UNIQUE INDEX consents_in_force ON consents (wallet_id) WHERE withdrawn_at_ms IS NULL;

-- A code is kept as it is: eight digits would not withstand a search, however they were hashed.
CREATE TABLE enrolment_codes (
    code TEXT PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    expires_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER,
    wrong_attempts INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE wrong_codes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL
);
CREATE INDEX wrong_codes_by_time ON wrong_codes (at_ms);

CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    binding BLOB NOT NULL,
    wallet_id TEXT REFERENCES wallets (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'enrolled', 'declined')),
    reason TEXT,
    alias_shares BLOB,
    begun_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    CHECK ((state = 'declined') = (reason IS NOT NULL))
);
CREATE INDEX enrolments_pending ON enrolments (expires_at_ms) WHERE state = 'pending';

CREATE TABLE palms (
    id TEXT PRIMARY KEY REFERENCES enrolments (id),
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    alias BLOB UNIQUE CHECK (length(alias) = 16),
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'paused', 'erased')),
    position INTEGER UNIQUE CHECK (position > 0),
    changed_at_ms INTEGER NOT NULL
);
CREATE INDEX palms_by_wallet ON palms (wallet_id);

CREATE TABLE matcher_orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    enrolment_id TEXT NOT NULL REFERENCES enrolments (id),
    kind TEXT NOT NULL CHECK (kind IN ('commit', 'abort', 'erase')),
    matcher TEXT NOT NULL CHECK (matcher IN ('a', 'b', 'c')),
    body BLOB NOT NULL,
    signature BLOB NOT NULL,
    written_at_ms INTEGER NOT NULL,
    confirmed_at_ms INTEGER,
    confirmation BLOB,
    confirmation_signature BLOB,
    UNIQUE (enrolment_id, kind, matcher)
);
CREATE INDEX matcher_orders_unconfirmed ON matcher_orders (matcher, number) WHERE confirmed_at_ms IS NULL;

CREATE TABLE charges (
    id TEXT PRIMARY KEY,
    digest BLOB,
    reservation_id TEXT NOT NULL UNIQUE,
    wallet_id TEXT REFERENCES wallets (id),
    amount_minor INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'approved', 'declined', 'voided')),
    reason TEXT,
    signatures BLOB,
    at_ms INTEGER NOT NULL,
    CHECK ((state = 'declined') = (reason IS NOT NULL)),
    CHECK ((state = 'approved') = (signatures IS NOT NULL))
);
CREATE INDEX charges_by_wallet ON charges (wallet_id, at_ms);

CREATE TABLE refunds (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    reason TEXT,
    at_ms INTEGER NOT NULL
);

CREATE TABLE redemptions (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    outcome BLOB NOT NULL,
    at_ms INTEGER NOT NULL
);

CREATE TABLE redeemed_notes (
    serial BLOB PRIMARY KEY,
    key_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE TRIGGER redeemed_notes_are_kept BEFORE DELETE ON redeemed_notes
BEGIN
    SELECT RAISE(ABORT, 'redeemed notes are kept');
END;

CREATE TABLE note_purchases (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    reason TEXT,
    signatures BLOB,
    at_ms INTEGER NOT NULL,
    CHECK ((reason IS NULL) = (signatures IS NOT NULL))
);

-- How many notes of each key are out: what is signed and not redeemed is what is in circulation.
CREATE TABLE note_totals (
    key_id TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    denomination_minor INTEGER NOT NULL,
    signed INTEGER NOT NULL DEFAULT 0,
    redeemed INTEGER NOT NULL DEFAULT 0,
    CHECK (redeemed <= signed)
);
"""

# A consent is to one way. A card has a row until it is revoked, and none after that; `asking` counts how often it was
# shown in vain.
_CARDS = """
ALTER TABLE consents ADD COLUMN way TEXT NOT NULL DEFAULT 'open_hand' CHECK (way IN ('open_hand', 'held_key'));
DROP INDEX consents_in_force;
CREATE UNIQUE INDEX consents_in_force ON consents (wallet_id, way) WHERE withdrawn_at_ms IS NULL;

CREATE TABLE cards (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    wallet_id TEXT NOT NULL UNIQUE REFERENCES wallets (id),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    sealed_template BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused')),
    enrolled_at_ms INTEGER NOT NULL,
    asking BLOB NOT NULL
);

CREATE TABLE card_enrolments (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    reason TEXT,
    at_ms INTEGER NOT NULL
);
"""

# What a wallet may pay, and its second factors. A check of a PIN has a row from its beginning to its end, so that a
# crash between neither forgets the try nor counts it twice. The digits are in no table, only what Argon2 makes of them.
_SECOND_FACTORS = """
ALTER TABLE charges ADD COLUMN factor TEXT CHECK (factor IN ('pin', 'passkey'));

CREATE INDEX charges_with_factor ON charges (wallet_id, at_ms) WHERE factor IS NOT NULL;

CREATE TABLE own_limits (
    wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
    alone_per_payment_minor INTEGER,
    per_payment_minor INTEGER,
    per_day_minor INTEGER
);

CREATE TABLE pins (
    wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
    hash TEXT NOT NULL,
    set_at_ms INTEGER NOT NULL
);

CREATE TABLE pin_tries (
    wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
    asking BLOB NOT NULL
);

CREATE TABLE pin_checks (
    charge_id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    begun_at_ms INTEGER NOT NULL
);

CREATE TABLE passkeys (
    id BLOB PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    credential BLOB NOT NULL,
    sign_count INTEGER NOT NULL,
    added_at_ms INTEGER NOT NULL
);
CREATE INDEX passkeys_by_wallet ON passkeys (wallet_id);

CREATE TABLE passkey_offers (
    wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
    challenge BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL
);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    nonce BLOB NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    given_at_ms INTEGER,
    charge_id TEXT UNIQUE,
    CHECK (charge_id IS NULL OR given_at_ms IS NOT NULL)
);
CREATE INDEX approvals_by_wallet ON approvals (wallet_id, asked_at_ms);
"""

# What was paid since the last second factor is told by the order of the charges, not by their times: a clock that is
# set back must not make payments of now look like payments from before. Charges of older versions come first.
_CHARGE_NUMBERS = """
ALTER TABLE charges ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
DROP INDEX charges_with_factor;
CREATE INDEX charges_by_number ON charges (wallet_id, number);
"""

# A charge that only reserves is `reserved` until it is captured or given back. Its acquirer is who carried it.
_HOLDS = """
CREATE TABLE holds (
    charge_id TEXT PRIMARY KEY REFERENCES charges (id),
    acquirer TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    until_ms INTEGER NOT NULL,
    capture_digest BLOB
);
CREATE INDEX charges_reserved ON charges (wallet_id) WHERE state = 'reserved';
"""

# A key without a number was made here, where a wallet had none left: what is sealed to it nobody opens, and it is not
# kept. A charge's `reply` is what its till was told of them; only that till opens it. `refunded_minor` counts what was
# paid back by receipt.
_RECEIPTS = """
ALTER TABLE charges ADD COLUMN reply BLOB;
ALTER TABLE charges ADD COLUMN refunded_minor INTEGER NOT NULL DEFAULT 0
    CHECK (refunded_minor BETWEEN 0 AND amount_minor);

CREATE TABLE receipt_keys (
    id TEXT PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
    number INTEGER CHECK (number >= 0),
    charge_id TEXT UNIQUE REFERENCES charges (id),
    digest BLOB,
    receipt BLOB,
    CHECK (number IS NOT NULL OR (charge_id IS NOT NULL AND receipt IS NULL)),
    CHECK (receipt IS NULL OR digest IS NOT NULL),
    CHECK (digest IS NULL OR charge_id IS NOT NULL)
);
CREATE INDEX receipt_keys_unused ON receipt_keys (wallet_id, number) WHERE charge_id IS NULL;
CREATE INDEX receipt_keys_by_wallet ON receipt_keys (wallet_id, number);
"""

# Only for wallets whose owner asked for it, shop by shop.
_NAMED = """
CREATE TABLE named_shops (
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    naming_key BLOB NOT NULL CHECK (length(naming_key) = 32),
    shop TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (wallet_id, naming_key)
);

CREATE TABLE named_payments (
    charge_id TEXT PRIMARY KEY REFERENCES charges (id),
    wallet_id TEXT NOT NULL,
    naming_key BLOB NOT NULL,
    description TEXT NOT NULL,
    FOREIGN KEY (wallet_id, naming_key) REFERENCES named_shops (wallet_id, naming_key) ON DELETE CASCADE
);
"""

# Who a person is: each row sealed with a key of its own. Without its wrapped key a row is random bytes. Its owner is a
# wallet, or somebody who has paid into one, by the `party_id` of the bank's tables.
_IDENTITIES = """
CREATE TABLE identities (
    owner_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    basis TEXT NOT NULL CHECK (basis IN ('service', 'law')),
    sealed BLOB NOT NULL,
    wrapped_key BLOB,
    written_at_ms INTEGER NOT NULL,
    purge_at_ms INTEGER,
    shredded_at_ms INTEGER,
    PRIMARY KEY (owner_id, kind),
    CHECK ((wrapped_key IS NULL) = (shredded_at_ms IS NOT NULL))
);
CREATE INDEX identities_due ON identities (purge_at_ms) WHERE wrapped_key IS NOT NULL;
"""

# How a wallet is filled from an account elsewhere. Whose account that is stands in `identities` alone.
_TOP_UPS = """
CREATE TABLE bank_references (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    made_at_ms INTEGER NOT NULL
);
CREATE INDEX bank_references_by_wallet ON bank_references (wallet_id, number);

CREATE TABLE mandates (
    id TEXT PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    party_id TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    signed_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
);
CREATE INDEX mandates_by_party ON mandates (party_id);
CREATE UNIQUE INDEX mandates_in_force ON mandates (wallet_id) WHERE ended_at_ms IS NULL;

-- What is to be collected. Once it is in a file, an order of the same id says where it stands.
CREATE TABLE collections (
    id TEXT PRIMARY KEY,
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    mandate_id TEXT NOT NULL REFERENCES mandates (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    sequence TEXT CHECK (sequence IN ('FRST', 'RCUR')),
    asked_at_ms INTEGER NOT NULL
);
CREATE INDEX collections_by_wallet ON collections (wallet_id, asked_at_ms);
CREATE INDEX collections_waiting ON collections (asked_at_ms) WHERE sequence IS NULL;
"""

# Which acquirer carried a charge: to another its outcome is not told. One from before has none.
_CARRIED = "ALTER TABLE charges ADD COLUMN acquirer TEXT;"

ISSUER_SCHEMA = Schema(
    "issuer",
    (
        _TABLES,
        _CARDS,
        _SECOND_FACTORS,
        _CHARGE_NUMBERS,
        _HOLDS,
        _RECEIPTS,
        _NAMED,
        _IDENTITIES,
        _TOP_UPS,
        _CARRIED,
    ),
)
