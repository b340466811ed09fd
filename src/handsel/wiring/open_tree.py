"""
Open the tree over a party's ledger, with the key in the party's own directory.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from handsel.clock import Clock
from handsel.errors import ConfigError
from handsel.keys import write_private_file
from handsel.proof.head import load_tree_key, make_tree_key, public_half
from handsel.store.database import Database
from handsel.store.tree import Tree, was_signed
from handsel.wiring.paths import TREE_KEY_FILE, TREE_PUBLIC_FILE

GROW_INTERVAL_S = 1.0  # A head is at most so much, and one round, behind what was booked.


def open_tree(database: Database, directory: Path, *, party: str, clock: Clock) -> Tree:
    """
    Return the tree. Its key is made at first use, and its public half written beside it, to be given to everybody.

    Raises `ConfigError` where heads were signed and the key is missing: with another one, nobody could compare.
    """
    path, public = directory / TREE_KEY_FILE, directory / TREE_PUBLIC_FILE
    if not path.exists() and was_signed(database):
        raise ConfigError(f"{TREE_KEY_FILE} is missing, and heads were signed with it: restore it from its backup")
    key = load_tree_key(path) if path.exists() else make_tree_key(path)
    if not public.exists():
        write_private_file(public, msgspec.json.encode(public_half(key, party=party)))
    return Tree(database, key, party=party, clock=clock)
