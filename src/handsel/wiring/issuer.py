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
from handsel.flows.issuing.issuer import Issuer, MatcherKeys, limits_of_acquirer, limits_of_card, open_issuer_accounts
from handsel.flows.issuing.void_charge import expire_charges
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.notes.keep import NoteKeyFile, load_root, read_secret
from handsel.pay.limit import CONTACTLESS_EUR
from handsel.pay.money import EURO
from handsel.store.issuer import open_issuer_database
from handsel.web.app import build_app
from handsel.web.health import health_route
from handsel.web.issuer import issuer_routes
from handsel.web.matcher_orders import HttpMatcherOrders
from handsel.web.wallet_api import wallet_api_routes
from handsel.web.wallet_pages import wallet_error_page, wallet_routes
from handsel.wiring.bank_account import own_account
from handsel.wiring.paths import DATABASE_FILE, KEY_FILE, NOTE_KEY_FILE, NOTE_ROOT_FILE
from handsel.wiring.serve import Chore, lifespan_of, private_files_only, serve, served_hosts, take_port

DELIVER_INTERVAL_S = 2.0
EXPIRE_INTERVAL_S = 5.0
RENEW_INTERVAL_S = 3600.0  # How often it is looked whether the next note keys are due; they are for two weeks.
TRUNCATE_INTERVAL_S = 60.0  # How long what was erased may still stand in the database's write-ahead log.


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

    def deliver() -> None:
        deliver_orders(issuer, matchers)

    chores = (
        Chore("deliver_orders", DELIVER_INTERVAL_S, deliver),
        Chore("expire_charges", EXPIRE_INTERVAL_S, lambda: expire_charges(issuer)),
        Chore("truncate_log", TRUNCATE_INTERVAL_S, issuer.database.truncate_log),
        Chore("renew_note_keys", RENEW_INTERVAL_S, lambda: kept.renew(issuer.note_keys, now_ms=system_clock())),
        Chore("expire_enrolments", EXPIRE_INTERVAL_S, lambda: expire_enrolments(issuer)),
    )
    app = build_app(
        [
            health_route(),
            *issuer_routes(issuer, config.acquirers, deliver),
            *wallet_api_routes(issuer, deliver, sandbox=config.sandbox),
            *wallet_routes(issuer, deliver, sandbox=config.sandbox),
        ],
        log=log,
        hosts=served_hosts(config.host, config.public_host),
        lifespan=lifespan_of(chores, log=log, stop=issuer.database.close),
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
    issuer = Issuer(
        database=open_issuer_database(directory / DATABASE_FILE, url=config.database_url.reveal()),
        keys=PartyKeys.load(directory / KEY_FILE),
        note_keys=note_keys,
        matchers=MatcherKeys(keys["a"], keys["b"], keys["c"]),
        palms_max=config.parties.palms_max,
        limits=CONTACTLESS_EUR,
        asking=limits_of_acquirer(config.acquirer_limits),
        showing=limits_of_card(config.card_limits),
        currency=EURO,
        clock=system_clock,
        random_bytes=os.urandom,
        bank=own_account(config.bank),
    )
    open_issuer_accounts(issuer)
    return issuer


def note_key_file(config: IssuerConfig, directory: Path) -> NoteKeyFile:
    """
    Return the file of note keys, with what opens it and signs their list. Raises `ConfigError` where that is missing.
    """
    secret = read_secret(directory / config.note_secret_file)
    return NoteKeyFile(directory / NOTE_KEY_FILE, secret, load_root(directory / NOTE_ROOT_FILE, secret))
