"""
Read the settings of one process, once, from a TOML file and the environment.

Each role has one frozen type. A field `port` of the issuer can be overridden by `HANDSEL_ISSUER_PORT`; tables cannot.
An unknown key is an error, and so is a file that others may read, because it holds link tokens.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from handsel.bank_settings import AcquirerBank, IssuerBank
from handsel.certificate import require_certificate_of
from handsel.errors import ConfigError
from handsel.keys import KEY_BYTES, PublicKeys, read_private_file, write_private_file
from handsel.limits import AMOUNT_MINOR_MAX, AcquirerLimits, CardLimits, PaymentLimits, PinLimits, TillLimits
from handsel.order import HOLDS_S, Way
from handsel.watch_settings import WatchedParty, require_watchable

PORT_MAX = 65535
DIMS_MAX = 4096
RENEW_HOURS_MAX = 8760  # A year.
PALMS_MAX = 10_000_000  # A bound on a number that somebody types; what a model supports is far below.
HELD_FMR_MAX = 1e-3  # A looser one would make a stolen card worth trying.
REDEEM_INTERVAL_S_MAX = 24 * 3600.0
MATCHERS = {"a", "b", "c"}
ISSUER = "issuer"  # Among the callers of a matcher, where any other is an acquirer, and among those that are watched.
TOKEN_CHARS_MIN = 32
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)(:(?P<port>[1-9][0-9]{0,4}))?"
)
TIP_PERCENTS_MAX = 3  # As many as `pay/tip.py` takes.


class Secret:
    """
    Hold a token that must not be printed.
    """

    def __init__(self, value: str) -> None:
        if len(value) < TOKEN_CHARS_MIN:
            raise ConfigError(f"a token must have at least {TOKEN_CHARS_MIN} characters")
        self._value = value

    def reveal(self) -> str:
        """
        Return the token itself.
        """
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


class DatabaseUrl(Secret):
    """
    Hold where a PostgreSQL database is, with its password where it has one; nothing stands for a file of SQLite.
    """

    def __init__(self, value: str) -> None:
        if value and not value.startswith("postgresql://"):
            raise ConfigError("database_url begins with postgresql://")
        self._value = value


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say where another party listens and with which token it knows us.
    """

    url: str
    token: Secret


class MatcherParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say what is public about one matcher: its keys, its certificate (DER), and where its peers reach it.
    """

    keys: PublicKeys
    certificate: bytes
    peer_host: str
    peer_port: int

    def __post_init__(self) -> None:
        """
        Refuse a port that there is not, and the certificate of another key. Raises `ConfigError`.
        """
        _require_address(self.peer_port)
        require_certificate_of(self.keys, self.certificate)


class Parties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    List the public keys of the issuer and of the three matchers, and the settings of the match on which all agree.

    `threshold` holds `fpir`, the share of strangers that may match anybody, for a gallery of `palms_max` and no more.
    Where `catches_cheaters`, a matcher that does not follow the protocol is noticed before an answer is given.
    """

    issuer: PublicKeys
    matchers: dict[str, MatcherParty]
    dims: int
    threshold: float
    palms_max: int
    fpir: float
    catches_cheaters: bool = True

    def __post_init__(self) -> None:
        """
        Refuse what no match can be made with. Raises `ConfigError`.
        """
        _require_three(self.matchers)
        if not 0 < self.threshold < 1:
            raise ConfigError("threshold is a cosine above 0 and below 1")
        if not 0 < self.palms_max <= PALMS_MAX:
            raise ConfigError(f"palms_max must lie between 1 and {PALMS_MAX}")
        if not 0 < self.fpir <= 0.5:
            raise ConfigError("fpir is a share above 0 and at most a half")
        if not 0 < self.dims <= DIMS_MAX:
            raise ConfigError(f"dims must lie between 1 and {DIMS_MAX}")


class IssuerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of the issuer.

    `acquirers` maps the name of each acquirer to the token that it presents; `sandbox` allows top-ups out of nothing,
    and never beside `bank`, its account with real money;
    `acquirer_limits` bounds how often each acquirer asks with palms, `card_limits` how often one card may be shown;
    `note_secret_file` encrypts the note keys; `database_url` is a PostgreSQL database's; `payment_limits` bounds what
    one wallet pays, `pin_limits` its PIN. `wallet_origin` is where browsers see the wallet's pages, as `https://` and a
    name: passkeys are bound to it, and there are none without it. `hold_s_max` is for how long at most a sum is
    reserved that is captured later; `watched` names acquirers whose heads are.
    """

    port: int
    acquirers: dict[str, Secret]
    matchers: dict[str, Link]
    parties: Parties
    host: str = "127.0.0.1"
    public_host: str = ""
    sandbox: bool = False
    note_secret_file: str = "notes.secret"  # noqa: S105 – the name of a file
    acquirer_limits: AcquirerLimits = msgspec.field(default_factory=AcquirerLimits)
    card_limits: CardLimits = msgspec.field(default_factory=CardLimits)
    database_url: DatabaseUrl = DatabaseUrl("")
    payment_limits: PaymentLimits = msgspec.field(default_factory=PaymentLimits)
    pin_limits: PinLimits = msgspec.field(default_factory=PinLimits)
    wallet_origin: str = ""
    hold_s_max: int = 86_400
    bank: IssuerBank = msgspec.field(default_factory=IssuerBank)
    watched: dict[str, WatchedParty] = {}

    def __post_init__(self) -> None:
        """
        Refuse settings with which nobody could enrol, pages where no browser allows a passkey, and play money that a
        bank would pay out.

        Raises `ConfigError`.
        """
        _require_address(self.port)
        _require_three(self.matchers)
        require_watchable(self.watched, self.acquirers)
        if self.wallet_origin and not is_secure_origin(self.wallet_origin):
            raise ConfigError("wallet_origin is https:// and a host name; http:// is secure on localhost names alone")
        if not 0 < self.hold_s_max <= HOLDS_S[-1]:
            raise ConfigError(f"hold_s_max must lie between 1 and {HOLDS_S[-1]}: a week")
        if self.sandbox and self.bank != IssuerBank():
            raise ConfigError("sandbox gives play money, which [bank] would pay out as real: set one of the two")


class MerchantEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Describe a merchant of the acquirer: name, API key, and the token of each till by the till's name.

    `palm_minor_max` is the most that this venue takes by palm at a time, in minor units; by default whatever notes are
    made for. It stands here because the issuer, which keeps all other limits, never learns a venue.
    `tip_percents` are the tips that its tills offer unless a payment says otherwise.
    """

    name: str
    key: Secret
    tills: dict[str, Secret]
    palm_minor_max: int = AMOUNT_MINOR_MAX
    tip_percents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """
        Refuse a venue that takes nothing, or more than there are notes for; what is no tip, and more than a till shows.

        Raises `ConfigError`.
        """
        if not 0 < self.palm_minor_max <= AMOUNT_MINOR_MAX:
            raise ConfigError(f"palm_minor_max must lie between 1 and {AMOUNT_MINOR_MAX}")
        is_each_once = len(set(self.tip_percents)) == len(self.tip_percents) <= TIP_PERCENTS_MAX
        if not is_each_once or not all(0 < percent <= 100 for percent in self.tip_percents):
            raise ConfigError(f"tip_percents names up to {TIP_PERCENTS_MAX} tips between 1 and 100, each once")


class AcquirerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of the acquirer. `merchants` are known by their ids; `note_root` is the key with which the issuer signs its
    note keys; `redeem_interval_s` is how long notes are held; `till_limits` bounds how often each till asks;
    `database_url` is a PostgreSQL database's; `bank` is its account; `watched` names the issuer where its heads are.
    """

    port: int
    issuer: Link
    matchers: dict[str, Link]
    merchants: dict[str, MerchantEntry]
    note_root: bytes
    host: str = "127.0.0.1"
    public_host: str = ""
    redeem_interval_s: float = 20.0
    till_limits: TillLimits = msgspec.field(default_factory=TillLimits)
    database_url: DatabaseUrl = DatabaseUrl("")
    bank: AcquirerBank = msgspec.field(default_factory=AcquirerBank)
    watched: dict[str, WatchedParty] = {}

    def __post_init__(self) -> None:
        """
        Refuse settings with which nobody could pay. Raises `ConfigError`.
        """
        _require_address(self.port)
        _require_three(self.matchers)
        _require_root(self.note_root)
        require_watchable(self.watched, (ISSUER,))
        if not 0 < self.redeem_interval_s <= REDEEM_INTERVAL_S_MAX:
            raise ConfigError(f"redeem_interval_s must lie above 0 and be at most {REDEEM_INTERVAL_S_MAX:.0f}")


class MatcherConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of one matcher. `id` is a, b or c; `callers` maps issuer and acquirer to the tokens that they present.

    Shares that are older than `renew_hours` are renewed after the next query; best the same at all three.
    """

    id: str
    port: int
    callers: dict[str, Secret]
    parties: Parties
    host: str = "127.0.0.1"
    renew_hours: int = 24

    def __post_init__(self) -> None:
        """
        Refuse settings of no matcher. Raises `ConfigError`.
        """
        _require_address(self.port)
        if not 1 <= self.renew_hours <= RENEW_HOURS_MAX:
            raise ConfigError(f"renew_hours must lie between 1 and {RENEW_HOURS_MAX}")
        if self.id not in self.parties.matchers:
            raise ConfigError("id must be a, b or c")
        if ISSUER not in self.callers:
            raise ConfigError("callers must name the issuer, as issuer: it sends orders, and is answered no query")


class AttackHintSetting(StrEnum):
    """
    Say what a till does about a hint that a copy of a hand is held out.
    """

    OFF = "off"
    ASK = "ask"
    REFUSE = "refuse"


class TillConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of a till's agent.

    `receipts_url` is where customers find receipts; `note_root` is the public half of the key with which the issuer
    signs its list of note keys; `simulated_camera` offers drawn hands beside the webcam;
    `attack_hint` says what follows from a hint that a copy of a hand is held out; `light_challenge` has the page change
    its colour while it looks, and the hint look for the answer. It does nothing where `attack_hint` is `off`. It is off
    by default: more real hands are asked for again, and strong light drowns the screen's. See docs/performance-card.md.

    `ways` are those that this venue offers. `held_fmr` is the share of other people's palms that may pass with a card:
    the threshold of the one comparison is what the model's curve gives for it. By default one in 10,000: a tenth of
    what NIST SP 800-63B allows beside something that is held.
    """

    port: int
    acquirer: Link
    parties: Parties
    receipts_url: str
    note_root: bytes
    host: str = "127.0.0.1"
    public_host: str = ""
    simulated_camera: bool = False
    attack_hint: AttackHintSetting = AttackHintSetting.ASK
    light_challenge: bool = False
    ways: tuple[Way, ...] = (Way.OPEN_HAND, Way.HELD_KEY)
    held_fmr: float = 1e-4

    def __post_init__(self) -> None:
        """
        Refuse a port that there is not, a key of a wrong length, and a till at which nobody could pay.

        Raises `ConfigError`.
        """
        _require_address(self.port)
        _require_root(self.note_root)
        if not self.ways or len(set(self.ways)) != len(self.ways):
            raise ConfigError("ways names open_hand, held_key, or both, each once")
        if not 0 < self.held_fmr <= HELD_FMR_MAX:
            raise ConfigError(f"held_fmr lies above 0 and is at most {HELD_FMR_MAX:g}")


C = TypeVar("C", IssuerConfig, AcquirerConfig, MatcherConfig, TillConfig)


def load_config(path: Path, kind: type[C], *, role: str, environment: Mapping[str, str] = os.environ) -> C:
    """
    Return the settings in `path` (TOML, mode 0600), overridden by `HANDSEL_<ROLE>_<FIELD>`.

    Raises `ConfigError` for a missing or open file, an unknown key, or a value out of range.
    """
    raw = read_private_file(path)
    try:
        settings = tomllib.loads(raw.decode())
        _override(settings, kind, role=role, environment=environment)
        config = msgspec.convert(settings, type=kind, dec_hook=_decode)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, ConfigError) as exc:
        raise ConfigError(f"{path.name}: {exc}") from exc
    return config


def save_config(path: Path, config: IssuerConfig | AcquirerConfig | MatcherConfig | TillConfig) -> None:
    """
    Write settings to a new file of mode 0600. Raises `ConfigError` where it exists already.
    """
    write_private_file(path, msgspec.toml.encode(config, enc_hook=_encode))


def is_secure_origin(origin: str) -> bool:
    """
    Return whether browsers offer passkeys to pages of that origin: a name over TLS, or a name that is this machine's.

    An address of numbers is no name: a passkey cannot be bound to it.
    """
    found = _ORIGIN.fullmatch(origin)
    if found is None or int(found["port"] or 1) > PORT_MAX or found["host"].replace(".", "").isdigit():
        return False
    return found["scheme"] == "https" or found["host"].split(".")[-1] == "localhost"


def _require_address(port: int) -> None:
    if not 0 < port <= PORT_MAX:
        raise ConfigError(f"a port must lie between 1 and {PORT_MAX}")


def _require_root(note_root: bytes) -> None:
    if len(note_root) != KEY_BYTES:
        raise ConfigError(f"note_root is a key of {KEY_BYTES} bytes: copy it from what `handsel root` prints")


def _require_three(matchers: Mapping[str, object]) -> None:
    if set(matchers) != MATCHERS:
        raise ConfigError("matchers must name a, b and c")


def _override(settings: dict[str, Any], kind: type[C], *, role: str, environment: Mapping[str, str]) -> None:
    prefix = f"HANDSEL_{role.upper()}_"
    scalars = {
        field.name: field.type
        for field in msgspec.structs.fields(kind)
        if isinstance(field.type, type) and issubclass(field.type, int | float | str | DatabaseUrl)
    }
    for name, text in environment.items():
        if not name.startswith(prefix):
            continue
        field = name.removeprefix(prefix).lower()
        if field not in scalars:
            raise ConfigError(f"{name} sets nothing: the {role} has no such setting")
        plain = str if scalars[field] is DatabaseUrl else scalars[field]
        settings[field] = msgspec.convert(text, type=plain, strict=False)


def _encode(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    raise ConfigError(f"a {type(value).__name__} cannot be written into a setting")


def _decode(kind: type, value: object) -> object:
    if issubclass(kind, Secret) and isinstance(value, str):
        return kind(value)
    raise ConfigError(f"a {kind.__name__} cannot be read from a setting")
