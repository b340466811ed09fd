"""
Put a matcher together, and run it. Nothing of vision, of tills or of money is loaded here.
"""

from __future__ import annotations

from pathlib import Path

from handsel.clock import system_clock
from handsel.config import MatcherConfig, load_config
from handsel.keys import PartyKeys
from handsel.log import Log
from handsel.matching.matcher import Matcher
from handsel.matching.memory import keep_freed_memory
from handsel.matching.peers import PeerAddress
from handsel.matching.scale import threshold_to_int
from handsel.matching.settings import Match, Party
from handsel.web.app import build_app
from handsel.web.matcher import matcher_routes
from handsel.web.matcher_page import matcher_error_page, matcher_page_routes
from handsel.wiring.paths import GALLERY_DIRECTORY, KEY_FILE
from handsel.wiring.serve import lifespan_of, private_files_only, serve, served_hosts, take_port


def run(config_path: Path, *, stops_with_stdin: bool) -> None:
    """
    Serve one matcher until it is asked to stop. Raises `ConfigError`, `PortTaken`, `GalleryCorrupt`, `StoreError`.
    """
    private_files_only()
    config = load_config(config_path, MatcherConfig, role="matcher")
    log = Log(f"matcher-{config.id}")
    listener = take_port(config.host, config.port)
    matcher = build_matcher(config, config_path.parent, log)
    keep_freed_memory()
    app = build_app(
        [*matcher_routes(matcher, config.callers), *matcher_page_routes(matcher, system_clock)],
        log=log,
        hosts=served_hosts(config.host),
        lifespan=lifespan_of((), log=log, start=matcher.start, stop=matcher.close),
        error_page=matcher_error_page,
    )
    serve(app, listener, stops_with_stdin=stops_with_stdin)


def build_matcher(config: MatcherConfig, directory: Path, log: Log) -> Matcher:
    """
    Return the matcher that `config` describes, with its gallery below `directory`. Raises what `Matcher` raises.
    """
    parties = {
        name: Party(party.keys, party.certificate, PeerAddress(party.peer_host, party.peer_port))
        for name, party in config.parties.matchers.items()
    }
    return Matcher(
        config.id,
        keys=PartyKeys.load(directory / KEY_FILE),
        issuer=config.parties.issuer,
        parties=parties,
        directory=directory / GALLERY_DIRECTORY,
        settings=Match(
            config.parties.dims,
            threshold_to_int(config.parties.threshold),
            palms_max=config.parties.palms_max,
            catches_cheaters=config.parties.catches_cheaters,
        ),
        clock=system_clock,
        log=log,
        renew_every_ms=config.renew_hours * 3_600_000,
    )
