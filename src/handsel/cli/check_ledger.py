"""
Compare a party's ledger with its tree and with every head that was signed: `handsel check-ledger`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handsel.cli.proof_files import read_key
from handsel.config import AcquirerConfig, IssuerConfig, load_config
from handsel.errors import InvariantBroken
from handsel.store import ledger
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.database import Database
from handsel.store.issuer import open_issuer_database
from handsel.store.tree_check import FINDINGS_MAX, check_tree
from handsel.wiring.paths import DATABASE_FILE, TREE_PUBLIC_FILE


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add the verb.
    """
    text = "compare a party's ledger with its tree and all signed heads, and name what was changed; 1 if anything was"
    parser = subparsers.add_parser("check-ledger", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("party", choices=("issuer", "acquirer"), help="whose it is")
    parser.add_argument("--config", type=Path, required=True, help="the party's settings (TOML, mode 0600)")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="its public tree key, kept elsewhere; without it, the tree.pub there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """
    Check, and print a line for each thing that does not fit. Raises `ConfigError`, `StoreError` and `NotFound`.
    """
    home = args.config.parent
    key = read_key(args.key or home / TREE_PUBLIC_FILE)
    database = _open(args.party, args.config)
    try:
        findings = [*check_tree(database, key), *_audited(database)]
    finally:
        database.close()
    for finding in findings:
        print(f"WRONG: {finding}")
    if findings:
        more = " or more" if len(findings) >= FINDINGS_MAX else ""
        print(f"{len(findings)}{more} found: stop this party, keep the database as it is, and compare with a backup.")
        return 1
    print("The ledger, its tree and all heads fit, and every balance follows from the entries.")
    return 0


def _open(party: str, config: Path) -> Database:
    path = config.parent / DATABASE_FILE
    if party == "issuer":
        issuer = load_config(config, IssuerConfig, role="issuer")
        return open_issuer_database(path, url=issuer.database_url.reveal())
    acquirer = load_config(config, AcquirerConfig, role="acquirer")
    return AcquirerDatabase.open(path, url=acquirer.database_url.reveal()).database


def _audited(database: Database) -> list[str]:
    try:
        with database.unit_of_work() as uow:
            ledger.audit(uow)
    except InvariantBroken as exc:
        return [f"this does not hold: {exc}"]
    return []
