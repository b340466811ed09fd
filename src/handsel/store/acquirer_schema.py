"""
Hold the tables of the acquirer, beside those of the ledger. A step that was released is never changed.

There is no palm, no wallet and no account of a customer in these tables, and nothing that says that two payments were
the same person's. There must never be. Nor is there a sealed envelope, but for the issuer's reply to a till, which is
there until the till has sealed the receipt.
"""

from __future__ import annotations

from handsel.store.engine import Migration, Schema

_TABLES = """
CREATE TABLE merchants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    key_hash BLOB UNIQUE
);

CREATE TABLE tills (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    name TEXT NOT NULL,
    token_hash BLOB UNIQUE,  -- None once the till is struck from the settings
    UNIQUE (merchant_id, name)
);

CREATE TABLE payments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    till_id TEXT NOT NULL REFERENCES tills (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requires_palm', 'processing', 'succeeded', 'canceled')),
    receipt_code TEXT UNIQUE,
    paid_ms INTEGER,
    CHECK ((status = 'succeeded') = (receipt_code IS NOT NULL)),
    CHECK ((status = 'succeeded') = (paid_ms IS NOT NULL))
);
CREATE INDEX payments_by_merchant ON payments (merchant_id, number);
CREATE INDEX payments_open ON payments (till_id, number) WHERE status = 'requires_palm';

CREATE TABLE charges (
    id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    till_id TEXT NOT NULL REFERENCES tills (id),
    submitted_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('submitted', 'approved', 'paid', 'declined', 'voided')),
    signatures BLOB,
    reason TEXT,
    CHECK ((status = 'approved') = (signatures IS NOT NULL)),
    CHECK ((status = 'declined') = (reason IS NOT NULL))
);
CREATE INDEX charges_of_payment ON charges (payment_id);
CREATE INDEX charges_unresolved ON charges (submitted_ms) WHERE status = 'submitted';
-- At most one charge of a payment is under way or has succeeded, whatever the flows do.
CREATE UNIQUE INDEX charges_live ON charges (payment_id) WHERE status IN ('submitted', 'approved', 'paid');

CREATE TABLE refunds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    till_id TEXT NOT NULL REFERENCES tills (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requires_palm', 'processing', 'succeeded', 'canceled'))
);
CREATE INDEX refunds_of_payment ON refunds (payment_id);
CREATE INDEX refunds_open ON refunds (till_id, number) WHERE status = 'requires_palm';
-- What is promised back is never more than was paid, whatever the flows do.
CREATE TRIGGER refunds_are_covered AFTER INSERT ON refunds
WHEN (SELECT SUM(amount_minor) FROM refunds WHERE payment_id = NEW.payment_id AND status <> 'canceled')
   > (SELECT amount_minor FROM payments WHERE id = NEW.payment_id AND status = 'succeeded')
BEGIN
    SELECT RAISE(ABORT, 'more is promised back than was paid');
END;

CREATE TABLE refund_attempts (
    id TEXT PRIMARY KEY,
    refund_id TEXT NOT NULL REFERENCES refunds (id),
    till_id TEXT NOT NULL REFERENCES tills (id),
    submitted_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('submitted', 'asked', 'credited', 'declined', 'voided')),
    reason TEXT,
    CHECK ((status = 'declined') = (reason IS NOT NULL))
);
CREATE INDEX refund_attempts_unresolved ON refund_attempts (submitted_ms) WHERE status IN ('submitted', 'asked');
CREATE INDEX refund_attempts_of_refund ON refund_attempts (refund_id);
CREATE UNIQUE INDEX refund_attempts_live ON refund_attempts (refund_id)
    WHERE status IN ('submitted', 'asked', 'credited');

CREATE TABLE redemptions (
    id TEXT PRIMARY KEY,
    attempt_id TEXT REFERENCES refund_attempts (id),
    is_done INTEGER NOT NULL CHECK (is_done IN (0, 1))
);
CREATE INDEX redemptions_open ON redemptions (id) WHERE is_done = 0;

CREATE TABLE notes (
    serial BLOB PRIMARY KEY,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    worth_minor INTEGER NOT NULL CHECK (worth_minor > 0),
    currency TEXT NOT NULL,
    source_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'reserved', 'redeeming', 'redeemed', 'refused', 'spent')),
    attempt_id TEXT REFERENCES refund_attempts (id),
    redemption_id TEXT REFERENCES redemptions (id),
    place INTEGER,
    reason TEXT,
    CHECK (state NOT IN ('redeeming', 'redeemed', 'refused') OR redemption_id IS NOT NULL),
    CHECK (state NOT IN ('reserved', 'spent') OR attempt_id IS NOT NULL),
    UNIQUE (redemption_id, place)
);
CREATE INDEX notes_by_source ON notes (source_id);
CREATE INDEX notes_held ON notes (serial) WHERE state = 'held';
CREATE INDEX notes_in_hand ON notes (currency, worth_minor) WHERE state IN ('held', 'reserved', 'redeeming');
CREATE INDEX notes_by_attempt ON notes (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE TRIGGER notes_are_kept BEFORE DELETE ON notes
BEGIN
    SELECT RAISE(ABORT, 'notes are kept');
END;

CREATE TABLE purchases (
    id TEXT PRIMARY KEY,
    attempt_id TEXT NOT NULL REFERENCES refund_attempts (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    secrets BLOB NOT NULL,
    ordered_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ordered', 'signed', 'declined'))
);
CREATE INDEX purchases_unresolved ON purchases (ordered_ms) WHERE status = 'ordered';

CREATE TABLE enrolments (
    id TEXT PRIMARY KEY,
    till_id TEXT NOT NULL REFERENCES tills (id),
    started_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('under_way', 'interrupted', 'enrolled', 'declined')),
    reason TEXT,
    CHECK ((status = 'declined') = (reason IS NOT NULL))
);
"""

# What the issuer has stated of a note that it refused as redeemed before.
_PROOFS = "ALTER TABLE notes ADD COLUMN proof BLOB CHECK (proof IS NULL OR state = 'refused');"

# What makes notes of the signatures of a charge, for a till that does not come back. It goes when the charge ends.
_SECRETS = """
ALTER TABLE charges ADD COLUMN secrets BLOB CHECK (secrets IS NULL OR status IN ('submitted', 'approved'));
CREATE INDEX charges_unfinished ON charges (submitted_ms) WHERE status = 'approved';
"""

# A payment that waits for its capture is stored as `processing`, with a time and no captured amount: which words the
# first step admits as a status cannot be changed in SQLite.
_CAPTURES = """
ALTER TABLE payments ADD COLUMN hold_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN reserved_until_ms INTEGER;
ALTER TABLE payments ADD COLUMN captured_minor INTEGER CHECK (captured_minor > 0);
ALTER TABLE payments ADD COLUMN cancel_reason TEXT;
CREATE INDEX payments_reserved ON payments (reserved_until_ms)
    WHERE status = 'processing' AND reserved_until_ms IS NOT NULL AND captured_minor IS NULL;

CREATE TABLE captures (
    charge_id TEXT PRIMARY KEY REFERENCES charges (id),
    secrets BLOB NOT NULL,
    asked_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ordered', 'signed', 'declined'))
);
CREATE INDEX captures_unresolved ON captures (asked_ms) WHERE status = 'ordered';
"""

# What tips were offered is MessagePack, or nothing where there were none.
_TIPS = """
ALTER TABLE payments ADD COLUMN tips BLOB;
ALTER TABLE payments ADD COLUMN tip_minor INTEGER NOT NULL DEFAULT 0 CHECK (tip_minor >= 0);
ALTER TABLE charges ADD COLUMN tip_minor INTEGER NOT NULL DEFAULT 0 CHECK (tip_minor >= 0);
"""

# What was paid is no longer what was asked for: with a tip it is more, and of a reservation it may be less.
_REFUNDS_OF_WHAT_WAS_PAID = """
CREATE TRIGGER refunds_are_of_what_was_paid AFTER INSERT ON refunds
WHEN (SELECT SUM(amount_minor) FROM refunds WHERE payment_id = NEW.payment_id AND status <> 'canceled')
   > (SELECT COALESCE(captured_minor, amount_minor + tip_minor) FROM payments
      WHERE id = NEW.payment_id AND status = 'succeeded')
BEGIN
    SELECT RAISE(ABORT, 'more is promised back than was paid');
END;
"""

# What the issuer sealed to the till of a charge; and how the customer of a refund is recognised.
_RECEIPTS = """
ALTER TABLE charges ADD COLUMN reply BLOB;
ALTER TABLE refunds ADD COLUMN way TEXT NOT NULL DEFAULT 'palm' CHECK (way IN ('palm', 'receipt'));
"""

# What somebody says of a payment whose receipt was presented. Nothing is known of that somebody.
_DISPUTES = """
CREATE TABLE disputes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    finding TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'refunded', 'refused', 'withdrawn')),
    ended_ms INTEGER,
    CHECK ((status = 'open') = (ended_ms IS NULL))
);
CREATE INDEX disputes_by_merchant ON disputes (merchant_id, number);
CREATE INDEX disputes_of_payment ON disputes (payment_id);
CREATE UNIQUE INDEX disputes_open ON disputes (payment_id) WHERE status = 'open';
"""

# Where a merchant is paid out, and which payments each pay-out contains: every one in one, and less what was refunded.
_PAY_OUTS = """
CREATE TABLE bank_parties (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    iban TEXT NOT NULL,
    kept_ms INTEGER NOT NULL
);

CREATE TABLE merchant_accounts (
    merchant_id TEXT PRIMARY KEY REFERENCES merchants (id),
    party_id TEXT NOT NULL,
    since_ms INTEGER NOT NULL
);

CREATE TABLE pay_out_items (
    pay_out_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payment', 'refund')),
    item_id TEXT NOT NULL,
    change_minor INTEGER NOT NULL CHECK ((kind = 'payment') = (change_minor > 0)),
    is_live INTEGER NOT NULL DEFAULT 1 CHECK (is_live IN (0, 1)),  -- 0 once the bank has sent the money back.
    PRIMARY KEY (pay_out_id, item_id)
);
CREATE UNIQUE INDEX pay_out_items_live ON pay_out_items (item_id) WHERE is_live = 1;
CREATE INDEX payments_succeeded ON payments (merchant_id) WHERE status = 'succeeded';
CREATE INDEX refunds_by_merchant ON refunds (merchant_id, status);
"""

# What the issuer knows a charge by. It goes when the charge ends, and when the case ends whose receipt has led to it.
# Charges of before have one id at both.
_ORDERS = """
ALTER TABLE charges ADD COLUMN order_id TEXT CHECK (order_id IS NULL OR status IN ('submitted', 'approved'));
ALTER TABLE charges ADD COLUMN return_digest BLOB CHECK (length(return_digest) = 32);
UPDATE charges SET order_id = id WHERE status IN ('submitted', 'approved');
CREATE UNIQUE INDEX charges_by_order ON charges (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX charges_with_reply ON charges (submitted_ms) WHERE reply IS NOT NULL;
ALTER TABLE disputes ADD COLUMN order_id TEXT CHECK (order_id IS NULL OR status = 'open');
"""

# The issuer knows a credited wallet by the serials of the notes, and by the redemption by which an acquirer found out
# that it was credited. Both go when the refund has ended; `spent` is a state that no note has any more.
_FORGET_CREDITED = """
DELETE FROM notes WHERE state = 'spent';
CREATE INDEX redemptions_by_attempt ON redemptions (attempt_id) WHERE attempt_id IS NOT NULL;
DELETE FROM redemptions WHERE attempt_id IN (SELECT id FROM refund_attempts WHERE status = 'credited');
CREATE TRIGGER notes_are_kept BEFORE DELETE ON notes
WHEN OLD.state NOT IN ('reserved', 'redeeming')
  OR NOT EXISTS (SELECT 1 FROM refund_attempts WHERE id = OLD.attempt_id AND status = 'credited')
BEGIN
    SELECT RAISE(ABORT, 'only the notes of a refund that was credited are forgotten');
END;
"""

# Until this step an enrolment bore the id by which issuer and matchers know the palm. Nothing refers to it.
_FRESH_ENROLMENT_IDS = Migration(
    sqlite="UPDATE enrolments SET id = lower(hex(randomblob(16)));",
    postgresql="UPDATE enrolments SET id = replace(gen_random_uuid()::text, '-', '');",
)

ACQUIRER_SCHEMA = Schema(
    "acquirer",
    (
        _TABLES,
        _PROOFS,
        _SECRETS,
        _CAPTURES,
        _TIPS,
        Migration(
            sqlite="DROP TRIGGER refunds_are_covered;" + _REFUNDS_OF_WHAT_WAS_PAID,
            postgresql="DROP TRIGGER refunds_are_covered ON refunds;\nDROP FUNCTION refunds_are_covered();"
            + _REFUNDS_OF_WHAT_WAS_PAID,
        ),
        _RECEIPTS,
        _DISPUTES,
        _PAY_OUTS,
        _ORDERS,
        Migration(
            sqlite="DROP TRIGGER notes_are_kept;" + _FORGET_CREDITED,
            postgresql="DROP TRIGGER notes_are_kept ON notes;\nDROP FUNCTION notes_are_kept();" + _FORGET_CREDITED,
        ),
        _FRESH_ENROLMENT_IDS,
    ),
)
