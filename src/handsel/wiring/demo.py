"""
Lay out a whole Handsel on one machine, and start it: issuer, acquirer, three matchers, a till, a demo merchant.

Each party gets a directory of its own (mode 0700) with its keys, its settings and its data; the supervisor makes them
and afterwards touches none.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from handsel.certificate import make_certificate
from handsel.clock import system_clock
from handsel.config import (
    AcquirerConfig,
    IssuerConfig,
    Link,
    MatcherConfig,
    MatcherParty,
    MerchantEntry,
    Parties,
    Secret,
    TillConfig,
    load_config,
    save_config,
)
from handsel.curve import FPIR, PALMS, GalleryPlan, require_plan
from handsel.errors import ConfigError, PortTaken
from handsel.keys import PartyKeys
from handsel.limits import TillLimits
from handsel.matching.message import MATCHERS
from handsel.notes.keep import make_root, make_secret
from handsel.proof.head import load_tree_key, make_tree_key, public_half
from handsel.vision.eyes import open_model
from handsel.watch_settings import WatchedParty
from handsel.wiring.gallery import require_gallery
from handsel.wiring.paths import (
    CONFIG_FILE,
    KEY_FILE,
    NOTE_KEY_FILE,
    NOTE_LIST_FILE,
    NOTE_ROOT_FILE,
    NOTE_SECRET_FILE,
    TREE_KEY_FILE,
)
from handsel.wiring.serve import take_port
from handsel.wiring.supervisor import Member, Supervisor

HOST = "127.0.0.1"
WALLET_HOST, SHOP_HOST, TILL_HOST = "wallet.localhost", "shop.localhost", "till.localhost"  # Loopback: RFC 6761 §6.3.
TOKEN_BYTES = 32
PORT_BASE = 8401
PORT_DRAWN_FIRST, PORT_DRAWN_BLOCKS, PORT_STEP = (
    20_000,
    250,
    40,
)  # Below the range from which systems draw by themselves.
PORT_DRAWS_MAX = 20
DEMO_MERCHANT = "corner-cafe"
DEMO_MERCHANT_NAME = "Corner Café"
DEMO_TILL = "till-1"
# For a walk or a measurement, in which many strangers try one after another and nobody waits.
UNHURRIED = TillLimits(
    palms_per_minute_max=6000,
    palms_per_day_max=1_000_000,
    wrong_in_a_row_max=10_000,
    wrong_share_max=0.99,
    wrong_share_of=10_000,
)


@dataclass(frozen=True)
class Ports:
    """
    Number the ports of a Handsel on one machine, upwards from `first`.
    """

    first: int

    @property
    def issuer(self) -> int:
        """
        Return the port of the issuer and its wallet pages.
        """
        return self.first

    @property
    def acquirer(self) -> int:
        """
        Return the port of the acquirer and its merchant pages.
        """
        return self.first + 1

    @property
    def till(self) -> int:
        """
        Return the port of the till's agent and its page.
        """
        return self.first + 2

    def matcher(self, name: str) -> int:
        """
        Return the port on which issuer and acquirer reach a matcher.
        """
        return self.first + 10 + MATCHERS.index(name)

    def peer(self, name: str) -> int:
        """
        Return the port on which the other matchers reach a matcher.
        """
        return self.first + 20 + MATCHERS.index(name)

    def all(self) -> tuple[int, ...]:
        """
        Return every port.
        """
        pairs = [(self.matcher(name), self.peer(name)) for name in MATCHERS]
        return (self.issuer, self.acquirer, self.till, *(port for pair in pairs for port in pair))


def free_ports() -> Ports:
    """
    Return ports that nobody uses just now. Raises `PortTaken` where none are found.
    """
    for _ in range(PORT_DRAWS_MAX):
        ports = Ports(PORT_DRAWN_FIRST + PORT_STEP * secrets.randbelow(PORT_DRAWN_BLOCKS))
        with contextlib.suppress(PortTaken):
            _require_free(ports)
            return ports
    raise PortTaken("no free ports were found: stop other programs")


@dataclass(frozen=True)
class Demo:
    """
    Name what it takes to use a Handsel on one machine.

    Pages have host names of their own, so that no browser sends one party's cookie to another: cookies ignore ports.
    Only the matchers' have none: they set no cookie and get none.
    Programs use the addresses in `…_api`, which need no name to be resolved. `palms_supported` is the largest gallery
    that the model's curve supports.
    """

    directory: Path
    wallet_url: str
    merchant_url: str
    till_url: str
    matcher_urls: tuple[str, ...]
    issuer_api: str
    acquirer_api: str
    till_api: str
    merchant_key: Secret
    gallery: GalleryPlan
    palms_supported: int


def set_up(
    directory: Path,
    ports: Ports,
    *,
    palms: int | None = None,
    fpir: float | None = None,
    till_limits: TillLimits | None = None,
) -> Demo:
    """
    Make keys, tokens and settings below `directory`, unless they are there; return where everything will be.

    The gallery is for `palms` at `fpir`, the till may ask as often as `till_limits` say; None stands for what is there,
    or the defaults. Raises `ConfigError` where the directory was laid out otherwise or cannot be written, or the
    model's curve does not support such a gallery.
    """
    if (directory / "acquirer" / CONFIG_FILE).exists():
        return _found(directory, ports, palms=palms, fpir=fpir)
    gallery = require_plan(
        open_model().curve, palms=PALMS if palms is None else palms, fpir=FPIR if fpir is None else fpir
    )
    try:
        for name in _party_names():
            (directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            (directory / name).chmod(0o700)
    except OSError as exc:
        raise ConfigError(f"{directory} cannot be written: {exc.strerror}") from exc
    _write_settings(directory, ports, gallery, till_limits or TillLimits())
    return _found(directory, ports, palms=palms, fpir=fpir)


def start(demo: Demo, ports: Ports, say: Callable[[str], None]) -> Supervisor:
    """
    Start every process: matchers first, for they need longest, then issuer, acquirer and till.

    Raises `PortTaken` before anything is started, and `PartyUnavailable` after stopping what was.
    """
    _require_free(ports)
    supervisor = Supervisor(say)
    matchers = [_member(demo, f"matcher-{name}", "matcher", ports.matcher(name)) for name in MATCHERS]
    try:
        supervisor.start([*matchers, _member(demo, "issuer", "issuer", ports.issuer)])
        supervisor.start([_member(demo, "acquirer", "acquirer", ports.acquirer)])
        supervisor.start([_member(demo, "till", "till", ports.till)])
    except BaseException:
        supervisor.stop()
        raise
    return supervisor


def _require_free(ports: Ports) -> None:
    for port in ports.all():
        take_port(HOST, port).close()


def _party_names() -> tuple[str, ...]:
    return ("issuer", "acquirer", *(f"matcher-{name}" for name in MATCHERS), "till")


def _member(demo: Demo, name: str, verb: str, port: int) -> Member:
    home = demo.directory / name
    command = (sys.executable, "-m", "handsel", verb, "--config", str(home / CONFIG_FILE), "--stop-with-stdin")
    return Member(name, command, f"http://{HOST}:{port}/v1/health", home / "log.jsonl")


def _found(directory: Path, ports: Ports, *, palms: int | None, fpir: float | None) -> Demo:
    config = load_config(directory / "acquirer" / CONFIG_FILE, AcquirerConfig, role="acquirer")
    if config.port != ports.acquirer:
        raise ConfigError(
            f"{directory} was laid out for ports from {config.port - 1}: use --port {config.port - 1}, or another --dir"
        )
    parties = load_config(directory / "till" / CONFIG_FILE, TillConfig, role="till").parties
    if palms not in (None, parties.palms_max) or fpir not in (None, parties.fpir):
        raise ConfigError(
            f"{directory} was laid out for {parties.palms_max} palms at an FPIR of {parties.fpir:g}: leave --palms and "
            "--fpir out, or use another --dir"
        )
    curve = open_model().curve
    return Demo(
        directory,
        wallet_url=f"http://{WALLET_HOST}:{ports.issuer}/",
        merchant_url=f"http://{SHOP_HOST}:{ports.acquirer}/",
        till_url=f"http://{TILL_HOST}:{ports.till}/",
        matcher_urls=tuple(f"http://{HOST}:{ports.matcher(name)}/" for name in MATCHERS),
        issuer_api=f"http://{HOST}:{ports.issuer}",
        acquirer_api=f"http://{HOST}:{ports.acquirer}",
        till_api=f"http://{HOST}:{ports.till}",
        merchant_key=config.merchants[DEMO_MERCHANT].key,
        gallery=require_gallery(curve, parties),
        palms_supported=curve.palms_max(fpir=parties.fpir),
    )


def _write_settings(directory: Path, ports: Ports, gallery: GalleryPlan, till_limits: TillLimits) -> None:
    keys = {name: PartyKeys.generate() for name in _party_names()}
    for name, own in keys.items():
        (directory / name / KEY_FILE).unlink(missing_ok=True)
        (directory / name / CONFIG_FILE).unlink(missing_ok=True)
        own.save(directory / name / KEY_FILE)
    parties = _parties(keys, ports, gallery)
    note_root = _write_note_root(directory)
    tree_keys = {name: _write_tree_key(directory / name, party=name) for name in ("issuer", "acquirer")}
    issuer_token, till_token = _token(), _token()
    by_issuer = {name: _token() for name in MATCHERS}
    by_acquirer = {name: _token() for name in MATCHERS}
    for name in MATCHERS:
        callers = {"issuer": by_issuer[name], "acquirer": by_acquirer[name]}
        save_config(
            directory / f"matcher-{name}" / CONFIG_FILE, MatcherConfig(name, ports.matcher(name), callers, parties)
        )
    issuer = IssuerConfig(
        ports.issuer,
        {"acquirer": issuer_token},
        _links(ports, by_issuer),
        parties,
        public_host=WALLET_HOST,
        sandbox=True,
        wallet_origin=f"http://{WALLET_HOST}:{ports.issuer}",
        watched={"acquirer": WatchedParty(f"http://{HOST}:{ports.acquirer}", tree_keys["acquirer"])},
    )
    till = _till(ports, till_token, parties, note_root)
    save_config(directory / "issuer" / CONFIG_FILE, issuer)
    save_config(directory / "till" / CONFIG_FILE, till)
    merchant = MerchantEntry(DEMO_MERCHANT_NAME, _token(), {DEMO_TILL: till_token})
    # The acquirer's settings come last: that they exist says that the whole layout is there.
    save_config(
        directory / "acquirer" / CONFIG_FILE,
        AcquirerConfig(
            ports.acquirer,
            Link(f"http://{HOST}:{ports.issuer}", issuer_token),
            _links(ports, by_acquirer),
            {DEMO_MERCHANT: merchant},
            note_root,
            public_host=SHOP_HOST,
            till_limits=till_limits,
            watched={"issuer": WatchedParty(f"http://{HOST}:{ports.issuer}", tree_keys["issuer"])},
        ),
    )


def _till(ports: Ports, token: Secret, parties: Parties, note_root: bytes) -> TillConfig:
    return TillConfig(
        ports.till,
        Link(f"http://{HOST}:{ports.acquirer}", token),
        parties,
        receipts_url=f"http://{SHOP_HOST}:{ports.acquirer}/receipts",
        note_root=note_root,
        public_host=TILL_HOST,
        simulated_camera=True,
    )


def _write_note_root(directory: Path) -> bytes:
    home = directory / "issuer"
    for name in (NOTE_SECRET_FILE, NOTE_ROOT_FILE, NOTE_KEY_FILE):
        (home / name).unlink(missing_ok=True)
    for name in ("acquirer", "till"):
        (directory / name / NOTE_LIST_FILE).unlink(missing_ok=True)
    secret = make_secret(home / NOTE_SECRET_FILE)
    return make_root(home / NOTE_ROOT_FILE, secret)


def _write_tree_key(home: Path, *, party: str) -> bytes:
    path = home / TREE_KEY_FILE
    return public_half(load_tree_key(path) if path.exists() else make_tree_key(path), party=party).key


def _parties(keys: dict[str, PartyKeys], ports: Ports, gallery: GalleryPlan) -> Parties:
    dims = open_model().dims
    matchers = {name: _matcher_party(name, keys[f"matcher-{name}"], ports) for name in MATCHERS}
    return Parties(
        keys["issuer"].public(),
        matchers,
        dims,
        threshold=gallery.threshold,
        palms_max=gallery.palms,
        fpir=gallery.fpir,
    )


def _matcher_party(name: str, keys: PartyKeys, ports: Ports) -> MatcherParty:
    certificate = make_certificate(keys, name=f"matcher {name}", now_ms=system_clock())
    return MatcherParty(keys.public(), certificate, HOST, ports.peer(name))


def _links(ports: Ports, tokens: dict[str, Secret]) -> dict[str, Link]:
    return {name: Link(f"http://{HOST}:{ports.matcher(name)}", tokens[name]) for name in MATCHERS}


def _token() -> Secret:
    return Secret(secrets.token_hex(TOKEN_BYTES))
