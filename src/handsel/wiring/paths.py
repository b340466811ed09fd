"""
Name the files in a party's own directory.
"""

from __future__ import annotations

CONFIG_FILE = "config.toml"
KEY_FILE = "identity.key"
NOTE_KEY_FILE = "notes.key"
NOTE_SECRET_FILE = "notes.secret"  # noqa: S105 – the name of a file
NOTE_ROOT_FILE = "notes-root.key"
NOTE_LIST_FILE = "note-keys.json"
DATABASE_FILE = "ledger.sqlite"
GALLERY_DIRECTORY = "gallery"
IDENTITIES_KEY_FILE = "identities.key"
TREE_KEY_FILE = "tree.key"
TREE_PUBLIC_FILE = "tree.pub"
JOURNAL_FILE = "journal.json"
