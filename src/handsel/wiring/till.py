"""
Put a till's agent together, and run it. Nothing of money's books and no database is loaded here.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from handsel.clock import system_clock
from handsel.config import AttackHintSetting, TillConfig, load_config
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.notes.announce import TrustedNoteKeys
from handsel.till.agent import Agent
from handsel.till.bring_receipts import ReceiptCourier
from handsel.till.client import AcquirerClient, open_http
from handsel.till.close_charge import ChargeCloser
from handsel.till.follow_reserved import ReservedFollower
from handsel.till.journal import Journal
from handsel.till.light import lights_of
from handsel.vision.eyes import open_reader
from handsel.vision.sight import look_at
from handsel.web.app import build_app
from handsel.web.health import health_route
from handsel.web.simulated_camera import SimulatedCamera
from handsel.web.till_pages import till_error_page, till_routes
from handsel.wiring.gallery import held_threshold, require_gallery
from handsel.wiring.paths import JOURNAL_FILE, KEY_FILE, NOTE_LIST_FILE
from handsel.wiring.serve import Chore, lifespan_of, private_files_only, serve, served_hosts, take_port

POLL_INTERVAL_S = 0.4
BRING_INTERVAL_S = 1.0
FOLLOW_INTERVAL_S = 1.0


def run(config_path: Path, *, stops_with_stdin: bool) -> None:
    """
    Serve a till's agent until it is asked to stop. Raises `ConfigError`, `ModelInvalid`, `PortTaken`, `StoreError`.
    """
    private_files_only()
    config = load_config(config_path, TillConfig, role="till")
    log = Log("till")
    listener = take_port(config.host, config.port)
    http = open_http(config.acquirer)
    reader = open_reader()
    require_gallery(reader.model.curve, config.parties)
    if config.attack_hint is not AttackHintSetting.OFF:
        reader = replace(reader, look=look_at)
    acquirer = AcquirerClient(http, TrustedNoteKeys(config.note_root, config_path.parent / NOTE_LIST_FILE))
    journal = Journal.open(config_path.parent / JOURNAL_FILE)
    courier = ReceiptCourier(journal, acquirer, system_clock, log)
    closer = ChargeCloser(journal, config.parties.issuer, os.urandom, log)
    follower = ReservedFollower(journal, acquirer, closer, system_clock, log)
    agent = Agent(
        reader=reader,
        acquirer=acquirer,
        journal=journal,
        parties=config.parties,
        till=PartyKeys.load(config_path.parent / KEY_FILE).public(),
        receipts_url=config.receipts_url,
        clock=system_clock,
        log=log,
        random_bytes=os.urandom,
        attack_hint=config.attack_hint,
        lights=lights_of(config.attack_hint, light_challenge=config.light_challenge),
        ways=config.ways,
        held_threshold=held_threshold(reader.model.curve, held_fmr=config.held_fmr),
    )
    chores = (
        Chore("poll", POLL_INTERVAL_S, agent.poll),
        Chore("bring_receipts", BRING_INTERVAL_S, courier.bring_next),
        Chore("follow_reserved", FOLLOW_INTERVAL_S, follower.ask_next),
    )
    app = build_app(
        [health_route(), *till_routes(agent, SimulatedCamera() if config.simulated_camera else None, config.ways)],
        log=log,
        hosts=served_hosts(config.host, config.public_host),
        lifespan=lifespan_of(chores, log=log, stop=http.close),
        error_page=till_error_page,
    )
    serve(app, listener, stops_with_stdin=stops_with_stdin)
