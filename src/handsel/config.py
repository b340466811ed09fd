"""
Read the settings of one process, once, from a TOML file and the environment.

Each role has one frozen type. A field `port` of the issuer can be overridden by `HANDSEL_ISSUER_PORT`; tables cannot.
An unknown key is an error, and so is a file that others may read, because it holds link tokens.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from handsel.certificate import require_certificate_of
from handsel.errors import ConfigError
from handsel.keys import PublicKeys, read_private_file, write_private_file

PORT_MAX = 65535
DIMS_MAX = 4096
RENEW_HOURS_MAX = 8760  # A year.
PALMS_MAX = 10_000_000  # A bound on a number that somebody types; what a model supports is far below.
REDEEM_INTERVAL_S_MAX = 24 * 3600.0
MATCHERS = {"a", "b", "c"}
ISSUER = "issuer"  # Among the callers of a matcher; any other is an acquirer.
TOKEN_CHARS_MIN = 32
ASKS_PER_MINUTE_MAX = 100_000  # Bounds on what somebody types; what three matchers can answer is far below.
ASKS_REMEMBERED_MAX = 10_000
LOCK_S_LEAST = 1.0
FORGET_S_MAX = 30 * 24 * 3600.0


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


class TillLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound how often one till may ask with a palm: whoever is told often enough whether a palm is enrolled can find one.

    A wrong ask is one in which nobody was found, that was no palm, or that came with a wrong code. Why these defaults:

    * `palms_per_minute_max`: a busy canteen is paid every 4 seconds, and half of its customers show their hand twice or
      a third time; nobody holds out a hand more often than every 2 seconds.
    * `palms_per_day_max`: three such hours, with every fourth hand shown twice. To change a vector until it is
      somebody's takes many thousands of answers, and so days or weeks.
    * `wrong_in_a_row_max`: three customers after one another whom the till does not know, three tries each.
    * `wrong_share_max` of the last `wrong_share_of`: a till in earnest misses a few of a hundred. This stops who asks
      with a palm that pays after every few that are nobody's.
    * `lock_s_min`, `lock_s_max`: the first lock is over when a customer has found another means to pay; after seven
      more wrong asks there is one an hour, so that 1000 tries, of which one may match somebody by chance, take a month.
    * `forget_s`: a day. Sooner, and it would pay to wait.
    """

    palms_per_minute_max: int = 30
    palms_per_day_max: int = 3500
    wrong_in_a_row_max: int = 10
    wrong_share_max: float = 0.5
    wrong_share_of: int = 100
    lock_s_min: float = 30.0
    lock_s_max: float = 3600.0
    forget_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that would never lock. Raises `ConfigError`.
        """
        _require_count(self.palms_per_minute_max, name="palms_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        if not self.palms_per_minute_max <= self.palms_per_day_max <= ASKS_PER_MINUTE_MAX * 24 * 60:
            raise ConfigError("palms_per_day_max must not be less than palms_per_minute_max, nor more than any day has")
        _require_share(self.wrong_share_max, of=self.wrong_share_of)
        _require_count(self.wrong_in_a_row_max, name="wrong_in_a_row_max", most=self.wrong_share_of)
        _require_lock(self.lock_s_min, self.lock_s_max, self.forget_s)


class AcquirerLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Bound how many answers of the match the issuer opens for one acquirer: it stops one that does not stop its tills.

    A wrong answer is one that matches nobody, or more than one. Why these defaults:

    * `answers_per_minute_max`: ten a second, the tills of forty busy canteens at once.
    * `wrong_share_max` of the last `wrong_share_of`: far above the few of a hundred that are normal. An acquirer that
      keeps `TillLimits` gets there with hundreds of bad tills, never with one.
    * `lock_s_min`, `lock_s_max`: short, since a lock stops every shop of the acquirer.
    * `forget_s`: a day, as for a till.
    """

    answers_per_minute_max: int = 600
    wrong_share_max: float = 0.5
    wrong_share_of: int = 1000
    lock_s_min: float = 10.0
    lock_s_max: float = 300.0
    forget_s: float = 24 * 3600.0

    def __post_init__(self) -> None:
        """
        Refuse limits with which nobody could pay, or that would never lock. Raises `ConfigError`.
        """
        _require_count(self.answers_per_minute_max, name="answers_per_minute_max", most=ASKS_PER_MINUTE_MAX)
        _require_share(self.wrong_share_max, of=self.wrong_share_of)
        _require_lock(self.lock_s_min, self.lock_s_max, self.forget_s)


class IssuerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of the issuer.

    `acquirers` maps the name of each acquirer to the token that it presents; `sandbox` allows top-ups out of nothing;
    `acquirer_limits` bounds how often each acquirer asks with palms; `database_url` is a PostgreSQL database's.
    """

    port: int
    acquirers: dict[str, Secret]
    matchers: dict[str, Link]
    parties: Parties
    host: str = "127.0.0.1"
    public_host: str = ""
    sandbox: bool = False
    acquirer_limits: AcquirerLimits = msgspec.field(default_factory=AcquirerLimits)
    database_url: DatabaseUrl = DatabaseUrl("")

    def __post_init__(self) -> None:
        """
        Refuse settings with which nobody could enrol. Raises `ConfigError`.
        """
        _require_address(self.port)
        _require_three(self.matchers)


class MerchantEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Describe a merchant of the acquirer: name, API key, and the token of each till by the till's name.
    """

    name: str
    key: Secret
    tills: dict[str, Secret]


class AcquirerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Settings of the acquirer. `merchants` are known by their ids; `redeem_interval_s` is how long notes are held;
    `till_limits` bounds how often each till asks with palms; `database_url` is a PostgreSQL database's.
    """

    port: int
    issuer: Link
    matchers: dict[str, Link]
    merchants: dict[str, MerchantEntry]
    host: str = "127.0.0.1"
    public_host: str = ""
    redeem_interval_s: float = 20.0
    till_limits: TillLimits = msgspec.field(default_factory=TillLimits)
    database_url: DatabaseUrl = DatabaseUrl("")

    def __post_init__(self) -> None:
        """
        Refuse settings with which nobody could pay. Raises `ConfigError`.
        """
        _require_address(self.port)
        _require_three(self.matchers)
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

    `receipts_url` is where customers find receipts; `simulated_camera` offers drawn hands beside the webcam;
    `attack_hint` says what follows from a hint that a copy of a hand is held out; `light_challenge` has the page change
    its colour while it looks, and the hint look for the answer. It does nothing where `attack_hint` is `off`. It is off
    by default: more real hands are asked for again, and strong light drowns the screen's. See docs/performance-card.md.
    """

    port: int
    acquirer: Link
    parties: Parties
    receipts_url: str
    host: str = "127.0.0.1"
    public_host: str = ""
    simulated_camera: bool = False
    attack_hint: AttackHintSetting = AttackHintSetting.ASK
    light_challenge: bool = False

    def __post_init__(self) -> None:
        """
        Refuse a port that there is not. Raises `ConfigError`.
        """
        _require_address(self.port)


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


def _require_address(port: int) -> None:
    if not 0 < port <= PORT_MAX:
        raise ConfigError(f"a port must lie between 1 and {PORT_MAX}")


def _require_count(count: int, *, name: str, most: int) -> None:
    if not 0 < count <= most:
        raise ConfigError(f"{name} must lie between 1 and {most}")


def _require_share(share: float, *, of: int) -> None:
    _require_count(of, name="wrong_share_of", most=ASKS_REMEMBERED_MAX)
    if not 0 < share < 1 or int(share * of) < 1:
        raise ConfigError("wrong_share_max is a share above 0 and below 1, of wrong_share_of at least one")


def _require_lock(lock_s_min: float, lock_s_max: float, forget_s: float) -> None:
    if not LOCK_S_LEAST <= lock_s_min <= lock_s_max:
        raise ConfigError(f"lock_s_min is at least {LOCK_S_LEAST:.0f}, and lock_s_max not less")
    if not lock_s_max + LOCK_S_LEAST <= forget_s <= FORGET_S_MAX:
        raise ConfigError(f"forget_s is more than lock_s_max, by a second or more, and at most {FORGET_S_MAX:.0f}")


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
