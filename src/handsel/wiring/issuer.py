"""
Put the issuer together, and run it. Nothing that could see or match a palm is loaded here.
"""

from __future__ import annotations

import os
from pathlib import Path

from handsel.clock import system_clock
from handsel.config import IssuerConfig, load_config
from handsel.flows.issuing.abort_enrolment import expire_enrolments
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.erase_person import shred_identities
from handsel.flows.issuing.issuer import (
    Issuer,
    MatcherKeys,
    SecondFactors,
    limits_of_acquirer,
    limits_of_card,
    limits_of_payment,
    limits_of_pin,
    open_issuer_accounts,
)
from handsel.flows.issuing.pin_hash import PinHasher
from handsel.flows.issuing.relying_party import RelyingParty
from handsel.flows.issuing.void_charge import expire_charges
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.notes.keep import NoteKeyFile, load_root, read_secret
from handsel.pay.money import EURO
from handsel.store.database import Database
from handsel.store.issuer import open_issuer_database
from handsel.store.issuer_identity import Identities, has_identities, open_master_key
from handsel.web.app import build_app
from handsel.web.faces import WALLET
from handsel.web.health import health_route
from handsel.web.issuer import issuer_routes
from handsel.web.matcher_orders import HttpMatcherOrders
from handsel.web.tree import tree_routes
from handsel.web.wallet_api import wallet_api_routes
from handsel.web.wallet_pages import wallet_error_page, wallet_routes
from handsel.web.watched import watched_routes
from handsel.wiring.bank_account import own_account
from handsel.wiring.open_tree import GROW_INTERVAL_S, open_tree
from handsel.wiring.paths import DATABASE_FILE, IDENTITIES_KEY_FILE, KEY_FILE, NOTE_KEY_FILE, NOTE_ROOT_FILE
from handsel.wiring.serve import (
    TRUNCATE_INTERVAL_S,
    Chore,
    lifespan_of,
    private_files_only,
    serve,
    served_hosts,
    take_port,
)
from handsel.wiring.watching import Watching

DELIVER_INTERVAL_S = 2.0
EXPIRE_INTERVAL_S = 5.0
RENEW_INTERVAL_S = 3600.0  # How often it is looked whether the next note keys are due; they are for two weeks.
SHRED_INTERVAL_S = 60.0


def run(config_path: Path, *, stops_with_stdin: bool) -> None:
    """
    Serve the issuer until it is asked to stop. Raises `ConfigError`, `PortTaken`, `StoreError`.
    """
    private_files_only()
    config = load_config(config_path, IssuerConfig, role="issuer")
    log = Log("issuer")
    listener = take_port(config.host, config.port)
    issuer = build_issuer(config, config_path.parent)
    kept = note_key_file(config, config_path.parent)
    matchers = HttpMatcherOrders(config.matchers)
    watching = Watching(issuer.database, config.watched, party="acquirer", clock=system_clock, log=log)

    def deliver() -> None:
        deliver_orders(issuer, matchers)

    def stop() -> None:
        watching.close()
        issuer.database.close()

    chores = (
        Chore("grow_tree", GROW_INTERVAL_S, issuer.tree.grow),
        Chore("deliver_orders", DELIVER_INTERVAL_S, deliver),
        Chore("expire_charges", EXPIRE_INTERVAL_S, lambda: expire_charges(issuer)),
        Chore("truncate_log", TRUNCATE_INTERVAL_S, issuer.database.truncate_log),
        Chore("shred_identities", SHRED_INTERVAL_S, lambda: shred_identities(issuer)),
        Chore("renew_note_keys", RENEW_INTERVAL_S, lambda: kept.renew(issuer.note_keys, now_ms=system_clock())),
        Chore("expire_enrolments", EXPIRE_INTERVAL_S, lambda: expire_enrolments(issuer)),
        *watching.chores(),
    )
    app = build_app(
        [
            health_route(watching.contradicted),
            *issuer_routes(issuer, config.acquirers, deliver),
            *wallet_api_routes(issuer, deliver, sandbox=config.sandbox),
            *wallet_routes(issuer, deliver, sandbox=config.sandbox),
            *tree_routes(issuer.tree),
            *watched_routes(watching.seen, system_clock, WALLET),
        ],
        log=log,
        hosts=served_hosts(config.host, config.public_host),
        lifespan=lifespan_of(chores, log=log, stop=stop),
        error_page=wallet_error_page,
    )
    serve(app, listener, stops_with_stdin=stops_with_stdin)


def build_issuer(config: IssuerConfig, directory: Path) -> Issuer:
    """
    Return the issuer that `config` describes, with its data below `directory`. Its note keys are made at first use.
    """
    kept = note_key_file(config, directory)
    note_keys = kept.open_or_make(currency=EURO, now_ms=system_clock())
    kept.renew(note_keys, now_ms=system_clock())
    keys = {name: party.keys for name, party in config.parties.matchers.items()}
    database = open_issuer_database(directory / DATABASE_FILE, url=config.database_url.reveal())
    issuer = Issuer(
        database=database,
        keys=PartyKeys.load(directory / KEY_FILE),
        note_keys=note_keys,
        matchers=MatcherKeys(keys["a"], keys["b"], keys["c"]),
        palms_max=config.parties.palms_max,
        limits=limits_of_payment(config.payment_limits, currency=EURO),
        asking=limits_of_acquirer(config.acquirer_limits),
        showing=limits_of_card(config.card_limits),
        factors=second_factors(config, kept.secret),
        currency=EURO,
        clock=system_clock,
        random_bytes=os.urandom,
        hold_ms_max=config.hold_s_max * 1000,
        tree=open_tree(database, directory, party="issuer", clock=system_clock),
        identities=open_identities(database, directory),
        bank=own_account(config.bank),
    )
    open_issuer_accounts(issuer)
    return issuer


def open_identities(database: Database, directory: Path) -> Identities:
    """
    Return what seals personal data. Its master key is made at first use.

    Raises `ConfigError` where it is missing and there is something to open with it.
    """
    with database.unit_of_work() as uow:
        is_new = not has_identities(uow)
    return Identities(open_master_key(directory / IDENTITIES_KEY_FILE, is_new=is_new))


def second_factors(config: IssuerConfig, secret: bytes) -> SecondFactors:
    """
    Return what PINs and passkeys are checked with; `secret` is what PINs are hashed with.
    """
    return SecondFactors(
        PinHasher(secret),
        limits_of_pin(config.pin_limits),
        digits_min=config.pin_limits.digits_min,
        party=RelyingParty(config.wallet_origin) if config.wallet_origin else None,
    )


def note_key_file(config: IssuerConfig, directory: Path) -> NoteKeyFile:
    """
    Return the file of note keys, with what opens it and signs their list. Raises `ConfigError` where that is missing.
    """
    secret = read_secret(directory / config.note_secret_file)
    return NoteKeyFile(directory / NOTE_KEY_FILE, secret, load_root(directory / NOTE_ROOT_FILE, secret))
