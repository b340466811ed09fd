"""
Put the acquirer together, and run it. Nothing that could see or match a palm, or that knows a wallet, is loaded here.
"""

from __future__ import annotations

from pathlib import Path

from handsel.clock import system_clock
from handsel.config import AcquirerConfig, load_config
from handsel.flows.acquiring.acquirer import Acquirer, limits_of_till
from handsel.flows.acquiring.announced_keys import AnnouncedKeys
from handsel.flows.acquiring.buy_notes import resolve_purchases
from handsel.flows.acquiring.carry_receipt import forget_replies
from handsel.flows.acquiring.finish_charge import finish_charges
from handsel.flows.acquiring.open_dispute import forget_orders
from handsel.flows.acquiring.redeem_notes import redeem_notes
from handsel.flows.acquiring.settle_capture import expire_reservations, resolve_captures
from handsel.flows.acquiring.settle_charge import resolve_charges
from handsel.flows.acquiring.settle_refund import resolve_refunds
from handsel.flows.acquiring.sign_in import register_merchant, register_till, revoke_others
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.notes.announce import TrustedNoteKeys
from handsel.pay.merchant import Merchant, Till
from handsel.pay.tip import TipOffer
from handsel.store.acquirer import AcquirerDatabase
from handsel.web.app import build_app
from handsel.web.dispute_api import dispute_api_routes
from handsel.web.dispute_pages import dispute_routes
from handsel.web.faces import SHOP
from handsel.web.health import health_route
from handsel.web.merchant_api import merchant_api_routes
from handsel.web.merchant_pages import merchant_error_page, merchant_routes
from handsel.web.parties import HttpIssuer, HttpMatchers
from handsel.web.shop_desk import shop_desk
from handsel.web.till_api import till_api_routes
from handsel.web.tree import tree_routes
from handsel.web.watched import watched_routes
from handsel.wiring.open_tree import GROW_INTERVAL_S, open_tree
from handsel.wiring.paths import DATABASE_FILE, KEY_FILE, NOTE_LIST_FILE
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

RESOLVE_INTERVAL_S = 2.0  # Twice of it, and a till is told: the end of a charge that its acquirer has to ask for.
FORGET_INTERVAL_S = 600.0


def run(config_path: Path, *, stops_with_stdin: bool) -> None:
    """
    Serve the acquirer until it is asked to stop. Raises `ConfigError`, `PortTaken`, `StoreError`.
    """
    private_files_only()
    config = load_config(config_path, AcquirerConfig, role="acquirer")
    log = Log("acquirer")
    listener = take_port(config.host, config.port)
    store = AcquirerDatabase.open(config_path.parent / DATABASE_FILE, url=config.database_url.reveal())
    acquirer = build_acquirer(config, store, config_path.parent)
    watching = Watching(store.database, config.watched, party="issuer", clock=system_clock, log=log)

    def stop() -> None:
        watching.close()
        store.close()

    app = build_app(
        [
            health_route(watching.contradicted),
            *till_api_routes(acquirer, system_clock),
            *merchant_api_routes(acquirer, system_clock),
            *dispute_api_routes(acquirer, system_clock),
            *dispute_routes(shop_desk(acquirer, system_clock)),
            *merchant_routes(acquirer, system_clock),
            *tree_routes(acquirer.tree),
            *watched_routes(watching.seen, system_clock, SHOP),
        ],
        log=log,
        hosts=served_hosts(config.host, config.public_host),
        lifespan=lifespan_of((*_chores(acquirer, config), *watching.chores()), log=log, stop=stop),
        error_page=merchant_error_page,
    )
    serve(app, listener, stops_with_stdin=stops_with_stdin)


def build_acquirer(config: AcquirerConfig, store: AcquirerDatabase, directory: Path) -> Acquirer:
    """
    Return the acquirer that `config` describes, with its merchants and tills registered, and no others let in.
    """
    acquirer = open_acquirer(config, store, directory)
    merchants = {Merchant(merchant_id, entry.name): entry.key for merchant_id, entry in config.merchants.items()}
    tills = {Till(shop, name): token for shop, entry in config.merchants.items() for name, token in entry.tills.items()}
    revoke_others(acquirer, merchants=merchants, tills=tills)
    for merchant, key in merchants.items():
        register_merchant(acquirer, merchant, key=key.reveal())
    for till, token in tills.items():
        register_till(acquirer, till, token=token.reveal())
    return acquirer


def open_or_make_identity(path: Path) -> PartyKeys:
    """
    Return the acquirer's keys, made at its first start. Raises `ConfigError`.

    They sign receipts, and what they were for a receipt it is good for: they are kept as long as the books.
    """
    if not path.exists():
        PartyKeys.generate().save(path)
    return PartyKeys.load(path)


def open_acquirer(config: AcquirerConfig, store: AcquirerDatabase, directory: Path) -> Acquirer:
    """
    Return the same, with merchants and tills as they are.
    """
    issuer = HttpIssuer(config.issuer)
    return Acquirer(
        store,
        HttpMatchers(config.matchers),
        issuer,
        AnnouncedKeys(issuer, TrustedNoteKeys(config.note_root, directory / NOTE_LIST_FILE)),
        tree=open_tree(store.database, directory, party="acquirer", clock=system_clock),
        asking=limits_of_till(config.till_limits),
        palm_minor_max={merchant_id: entry.palm_minor_max for merchant_id, entry in config.merchants.items()},
        tips={
            merchant_id: TipOffer(entry.tip_percents)
            for merchant_id, entry in config.merchants.items()
            if entry.tip_percents
        },
        identity=open_or_make_identity(directory / KEY_FILE),
    )


def _chores(acquirer: Acquirer, config: AcquirerConfig) -> tuple[Chore, ...]:
    return (
        Chore("grow_tree", GROW_INTERVAL_S, acquirer.tree.grow),
        Chore("truncate_log", TRUNCATE_INTERVAL_S, acquirer.store.database.truncate_log),
        Chore("redeem_notes", config.redeem_interval_s, lambda: redeem_notes(acquirer, now_ms=system_clock())),
        Chore("resolve_charges", RESOLVE_INTERVAL_S, lambda: resolve_charges(acquirer, now_ms=system_clock())),
        Chore("finish_charges", RESOLVE_INTERVAL_S, lambda: finish_charges(acquirer, now_ms=system_clock())),
        Chore("resolve_refunds", RESOLVE_INTERVAL_S, lambda: resolve_refunds(acquirer, now_ms=system_clock())),
        Chore("resolve_captures", RESOLVE_INTERVAL_S, lambda: resolve_captures(acquirer, now_ms=system_clock())),
        Chore("expire_reservations", RESOLVE_INTERVAL_S, lambda: expire_reservations(acquirer, now_ms=system_clock())),
        Chore("forget_orders", FORGET_INTERVAL_S, lambda: forget_orders(acquirer, now_ms=system_clock())),
        Chore("forget_replies", FORGET_INTERVAL_S, lambda: forget_replies(acquirer, now_ms=system_clock())),
        Chore("resolve_purchases", RESOLVE_INTERVAL_S, lambda: resolve_purchases(acquirer, now_ms=system_clock())),
    )
