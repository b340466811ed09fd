"""
Settings: read once, from a private file; every mistake is said, and no token is ever shown.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from handsel.certificate import make_certificate
from handsel.config import (
    TOKEN_CHARS_MIN,
    AcquirerConfig,
    AttackHintSetting,
    DatabaseUrl,
    IssuerConfig,
    Link,
    MatcherConfig,
    MatcherParty,
    MerchantEntry,
    Parties,
    Secret,
    TillConfig,
    is_secure_origin,
    load_config,
    save_config,
)
from handsel.errors import ConfigError
from handsel.flows.issuing.issuer import limits_of_payment
from handsel.keys import PartyKeys, write_private_file
from handsel.limits import (
    AMOUNT_MINOR_MAX,
    ASKS_PER_MINUTE_MAX,
    ASKS_REMEMBERED_MAX,
    FORGET_S_MAX,
    AcquirerLimits,
    AloneSince,
    CardLimits,
    PaymentLimits,
    PinLimits,
    TillLimits,
)
from handsel.matching.message import MATCHERS
from handsel.notes import denomination
from handsel.order import Way
from handsel.pay.limit import CONTACTLESS_EUR
from handsel.pay.tip import CHOICES_MAX, TipOffer

Settings = IssuerConfig | AcquirerConfig | MatcherConfig | TillConfig

TOKEN = "0123456789abcdef" * 4
PARTIES = Parties(
    PartyKeys.generate().public(),
    {
        name: MatcherParty(keys.public(), make_certificate(keys, name=name, now_ms=0), "127.0.0.1", 8421)
        for name, keys in ((name, PartyKeys.generate()) for name in MATCHERS)
    },
    dims=432,
    threshold=0.5,
    palms_max=1000,
    fpir=1e-3,
)
LINK = Link("http://127.0.0.1:8401", Secret(TOKEN))
LINKS = dict.fromkeys(MATCHERS, LINK)
EVERY_ROLE: dict[str, Settings] = {
    "issuer": IssuerConfig(8401, {"acquirer": Secret(TOKEN)}, LINKS, PARTIES),
    "acquirer": AcquirerConfig(
        8402,
        LINK,
        LINKS,
        {"corner-cafe": MerchantEntry("Corner Café", Secret(TOKEN), {"till-1": Secret(TOKEN)})},
        bytes(32),
    ),
    "matcher": MatcherConfig("a", 8411, {"issuer": Secret(TOKEN)}, PARTIES),
    "till": TillConfig(8403, LINK, PARTIES, receipts_url="http://shop.localhost:8402/receipts", note_root=bytes(32)),
}
TILL = EVERY_ROLE["till"]


def as_toml(settings: Settings, **changes: object) -> bytes:
    """
    Return the text of a settings file in which some fields are changed, or taken away where they are None.
    """
    fields: dict[str, object] = msgspec.to_builtins(settings, enc_hook=lambda secret: secret.reveal())
    merged = {**fields, **changes}
    return msgspec.toml.encode({name: value for name, value in merged.items() if value is not None})


def load_till(path: Path, content: bytes, environment: Mapping[str, str] | None = None) -> TillConfig:
    """
    Write `content` as the settings file of a till, and read it.
    """
    write_private_file(path / "config.toml", content)
    return load_config(path / "config.toml", TillConfig, role="till", environment=environment or {})


def load_any(path: Path, role: str) -> Settings:
    """
    Read the settings of a role.
    """
    if role == "issuer":
        return load_config(path, IssuerConfig, role=role, environment={})
    if role == "acquirer":
        return load_config(path, AcquirerConfig, role=role, environment={})
    if role == "matcher":
        return load_config(path, MatcherConfig, role=role, environment={})
    return load_config(path, TillConfig, role=role, environment={})


def reveal_all(settings: Settings) -> object:
    """
    Return settings as plain values, tokens included, so that two can be compared.
    """
    return msgspec.to_builtins(settings, enc_hook=lambda secret: secret.reveal())


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_saved_settings_are_the_settings_that_are_loaded(role: str, tmp_path: Path) -> None:
    settings = EVERY_ROLE[role]

    save_config(tmp_path / "config.toml", settings)
    loaded = load_any(tmp_path / "config.toml", role)

    assert reveal_all(settings) == reveal_all(loaded)
    assert stat.S_IMODE((tmp_path / "config.toml").stat().st_mode) == 0o600


def test_settings_are_not_overwritten(tmp_path: Path) -> None:
    save_config(tmp_path / "config.toml", TILL)

    with pytest.raises(ConfigError, match="cannot be written"):
        save_config(tmp_path / "config.toml", TILL)


def test_a_certificate_of_another_key_is_an_error() -> None:
    one, other = PartyKeys.generate(), PartyKeys.generate()

    with pytest.raises(ConfigError, match="not of the key"):
        MatcherParty(one.public(), make_certificate(other, name="a", now_ms=0), "127.0.0.1", 8421)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "config.toml", TillConfig, role="till", environment={})


def test_a_file_that_others_may_read_is_an_error(tmp_path: Path) -> None:
    save_config(tmp_path / "config.toml", TILL)
    (tmp_path / "config.toml").chmod(0o640)

    with pytest.raises(ConfigError, match="chmod 600"):
        load_config(tmp_path / "config.toml", TillConfig, role="till", environment={})


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_not_toml_is_an_error(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_till(tmp_path, content)


@pytest.mark.parametrize("change", [{"colour": "red"}, {"Port": 1}, {"sandbox": True}])
def test_an_unknown_key_is_an_error(change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown field"):
        load_till(tmp_path, as_toml(TILL, **change))


def test_an_unknown_key_in_a_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown field"):
        load_till(tmp_path, as_toml(TILL, acquirer={"url": "http://127.0.0.1:1", "token": TOKEN, "tokn": "x"}))


@pytest.mark.parametrize("name", ["port", "acquirer", "parties"])
def test_a_missing_key_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing required field"):
        load_till(tmp_path, as_toml(TILL, **{name: None}))


def test_play_money_beside_a_bank_is_an_error(tmp_path: Path) -> None:
    bank = {"holder": "Example Bank", "iban": "DE89370400440532013000"}
    path = tmp_path / "config.toml"
    write_private_file(path, as_toml(EVERY_ROLE["issuer"], bank=bank))

    assert load_config(path, IssuerConfig, role="issuer", environment={}).bank.holder == "Example Bank"
    with pytest.raises(ConfigError, match="sandbox gives play money"):
        load_config(path, IssuerConfig, role="issuer", environment={"HANDSEL_ISSUER_SANDBOX": "true"})


@pytest.mark.parametrize(
    ("role", "name", "party"),
    [
        ("issuer", "issuer", {}),
        ("issuer", "somebody", {}),
        ("acquirer", "acquirer", {}),
        ("acquirer", "issuer", {"url": "acquirer.example"}),
        ("acquirer", "issuer", {"tree_key": bytes(31)}),
    ],
)
def test_who_is_watched_is_known_and_has_an_address_and_a_key(
    role: str, name: str, party: dict[str, object], tmp_path: Path
) -> None:
    right = {"url": "https://bank.example", "tree_key": bytes(32)}
    known = {"issuer": "acquirer", "acquirer": "issuer"}[role]
    write_private_file(tmp_path / "right.toml", as_toml(EVERY_ROLE[role], watched={known: right}))
    write_private_file(tmp_path / "wrong.toml", as_toml(EVERY_ROLE[role], watched={name: {**right, **party}}))

    load_any(tmp_path / "right.toml", role)
    with pytest.raises(ConfigError, match=r"watched|tree_key"):
        load_any(tmp_path / "wrong.toml", role)


@pytest.mark.parametrize("port", [1, 65535])
def test_a_port_at_either_end_is_taken(port: int, tmp_path: Path) -> None:
    assert load_till(tmp_path, as_toml(TILL, port=port)).port == port


def test_a_matcher_that_does_not_know_its_issuer_is_an_error() -> None:
    with pytest.raises(ConfigError, match="issuer"):
        MatcherConfig("a", 8411, {"acquirer": Secret(TOKEN)}, PARTIES)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_beyond_either_end_is_an_error(port: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="port must lie between 1 and 65535"):
        load_till(tmp_path, as_toml(TILL, port=port))


@pytest.mark.parametrize("port", ["8403", 8403.5, True])
def test_a_port_of_another_type_is_an_error(port: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="port"):
        load_till(tmp_path, as_toml(TILL, port=port))


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    environment = {"HANDSEL_TILL_PORT": "9000", "HANDSEL_TILL_HOST": "::1", "HANDSEL_TILL_SIMULATED_CAMERA": "true"}
    environment |= {"HANDSEL_TILL_ATTACK_HINT": "refuse", "HANDSEL_TILL_LIGHT_CHALLENGE": "true"}

    loaded = load_till(tmp_path, as_toml(TILL), environment)

    assert (loaded.port, loaded.host, loaded.simulated_camera) == (9000, "::1", True)
    assert (loaded.attack_hint, loaded.light_challenge) == (AttackHintSetting.REFUSE, True)


def test_no_light_is_shown_unless_a_setting_says_so(tmp_path: Path) -> None:
    assert load_till(tmp_path, as_toml(TILL, light_challenge=None)).light_challenge is False


@pytest.mark.parametrize(("said", "expected"), [({}, True), ({"catches_cheaters": False}, False)])
def test_cheaters_are_caught_unless_a_setting_says_otherwise(
    said: dict[str, bool], expected: bool, tmp_path: Path
) -> None:
    parties = {name: value for name, value in msgspec.to_builtins(PARTIES).items() if name != "catches_cheaters"}

    assert load_till(tmp_path, as_toml(TILL, parties=parties | said)).parties.catches_cheaters is expected


def test_a_database_is_named_by_file_or_environment_and_its_password_does_not_show(tmp_path: Path) -> None:
    url = "postgresql://issuer:hidden@db/handsel"
    path = tmp_path / "issuer.toml"
    write_private_file(path, as_toml(EVERY_ROLE["issuer"]))

    plain = load_config(path, IssuerConfig, role="issuer", environment={})
    named = load_config(path, IssuerConfig, role="issuer", environment={"HANDSEL_ISSUER_DATABASE_URL": url})

    assert (plain.database_url.reveal(), named.database_url.reveal()) == ("", url)
    assert "hidden" not in repr(named)
    with pytest.raises(ConfigError):
        DatabaseUrl("mysql://db/handsel")


def test_the_environment_of_another_role_does_nothing(tmp_path: Path) -> None:
    assert load_till(tmp_path, as_toml(TILL), {"HANDSEL_ISSUER_PORT": "9000", "PORT": "9001"}).port == 8403


@pytest.mark.parametrize(
    "name", ["HANDSEL_TILL_COLOUR", "HANDSEL_TILL_ACQUIRER", "HANDSEL_TILL_", "HANDSEL_TILL_port_"]
)
def test_an_unknown_name_in_the_environment_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sets nothing"):
        load_till(tmp_path, as_toml(TILL), {name: "x"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HANDSEL_TILL_PORT", "many"),
        ("HANDSEL_TILL_PORT", "70000"),
        ("HANDSEL_TILL_SIMULATED_CAMERA", "perhaps"),
        ("HANDSEL_TILL_ATTACK_HINT", "never"),
        ("HANDSEL_TILL_LIGHT_CHALLENGE", "perhaps"),
    ],
)
def test_a_bad_value_in_the_environment_is_an_error(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_till(tmp_path, as_toml(TILL), {name: text})


def test_limits_of_tills_and_acquirers_are_settings(tmp_path: Path) -> None:
    till_limits = {"palms_per_minute_max": 5, "lock_s_min": 10}
    write_private_file(tmp_path / "acquirer.toml", as_toml(EVERY_ROLE["acquirer"], till_limits=till_limits))
    acquirer_limits = {"answers_per_minute_max": 6, "wrong_share_max": 0.25}
    write_private_file(tmp_path / "issuer.toml", as_toml(EVERY_ROLE["issuer"], acquirer_limits=acquirer_limits))

    acquirer = load_config(tmp_path / "acquirer.toml", AcquirerConfig, role="acquirer", environment={})
    issuer = load_config(tmp_path / "issuer.toml", IssuerConfig, role="issuer", environment={})

    assert acquirer.till_limits == TillLimits(palms_per_minute_max=5, lock_s_min=10)
    assert issuer.acquirer_limits == AcquirerLimits(answers_per_minute_max=6, wrong_share_max=0.25)


@pytest.mark.parametrize("kind", [TillLimits, AcquirerLimits])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wrong_share_max", 0.0),
        ("wrong_share_max", 1.0),
        ("wrong_share_max", float("nan")),
        ("wrong_share_of", 0),
        ("wrong_share_of", 1),
        ("wrong_share_of", ASKS_REMEMBERED_MAX + 1),
        ("lock_s_min", 0.9),
        ("lock_s_min", 3600.1),
        ("lock_s_max", 0.9),
        ("lock_s_max", 24 * 3600.0),
        ("lock_s_max", float("inf")),
        ("forget_s", 1.0),
        ("forget_s", FORGET_S_MAX + 1),
        ("forget_s", float("nan")),
    ],
)
def test_a_lock_that_could_never_be_or_never_end_is_an_error(
    kind: type[TillLimits] | type[AcquirerLimits], name: str, value: float
) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(kind(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("palms_per_minute_max", 0),
        ("palms_per_minute_max", 3501),
        ("palms_per_day_max", 29),
        ("palms_per_day_max", ASKS_PER_MINUTE_MAX * 24 * 60 + 1),
        ("wrong_in_a_row_max", 0),
        ("wrong_in_a_row_max", 101),
    ],
)
def test_a_limit_of_a_till_that_is_none_is_an_error(name: str, value: int) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(TillLimits(), **{name: value})


@pytest.mark.parametrize("value", [0, -1, ASKS_PER_MINUTE_MAX + 1])
def test_a_limit_of_an_acquirer_that_is_none_is_an_error(value: int) -> None:
    with pytest.raises(ConfigError):
        AcquirerLimits(answers_per_minute_max=value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shown_per_minute_max", 0),
        ("shown_per_day_max", 5),
        ("in_vain_max", 0),
        ("in_vain_max", ASKS_REMEMBERED_MAX),
        ("lock_s_min", 0.5),
        ("forget_s", 24 * 3600.0),
    ],
)
def test_a_limit_of_a_card_that_is_none_is_an_error(name: str, value: float) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(CardLimits(), **{name: value})


def test_limits_at_either_end_are_taken() -> None:
    assert TillLimits(palms_per_minute_max=1, palms_per_day_max=1, wrong_in_a_row_max=1).wrong_in_a_row_max == 1
    assert TillLimits(wrong_in_a_row_max=2, wrong_share_max=0.5, wrong_share_of=2).wrong_share_of == 2
    assert AcquirerLimits(lock_s_min=1, lock_s_max=1, forget_s=2).forget_s == 2
    assert AcquirerLimits(forget_s=FORGET_S_MAX).forget_s == FORGET_S_MAX


@pytest.mark.parametrize("length", [0, TOKEN_CHARS_MIN - 1])
def test_a_short_token_is_an_error(length: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 32 characters"):
        load_till(tmp_path, as_toml(TILL, acquirer={"url": "http://127.0.0.1:1", "token": "t" * length}))


def test_a_token_of_the_least_length_is_taken() -> None:
    assert Secret("t" * TOKEN_CHARS_MIN).reveal() == "t" * TOKEN_CHARS_MIN


@pytest.mark.parametrize("token", [7, ["t" * 64], {"value": "t" * 64}])
def test_a_token_that_is_no_text_is_an_error(token: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_till(tmp_path, as_toml(TILL, acquirer={"url": "http://127.0.0.1:1", "token": token}))


def test_a_key_of_a_wrong_length_is_an_error(tmp_path: Path) -> None:
    parties = msgspec.to_builtins(PARTIES)
    parties["issuer"]["seal"] = "AAAA"

    with pytest.raises(ConfigError, match="32 bytes"):
        load_till(tmp_path, as_toml(TILL, parties=parties))


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_no_token_shows_in_a_repr(role: str) -> None:
    settings = EVERY_ROLE[role]

    assert TOKEN not in repr(settings) and TOKEN not in str(settings)
    assert f"{Secret(TOKEN)!r} {Secret(TOKEN)}" == "Secret(…) Secret(…)"


@pytest.mark.parametrize("change", [{"colour": TOKEN}, {"port": TOKEN}, {"acquirer": TOKEN}, {"host": [TOKEN]}])
def test_no_value_shows_in_an_error(change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_till(tmp_path, as_toml(TILL, **change))

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_settings_cannot_be_changed(role: str) -> None:
    with pytest.raises(AttributeError):
        setattr(EVERY_ROLE[role], "port", 1)  # noqa: B010 – the type checker would refuse it, too


@pytest.mark.parametrize(
    ("name", "value"),
    [("ways", ()), ("ways", (Way.HELD_KEY, Way.HELD_KEY)), ("held_fmr", 0.0), ("held_fmr", 1.01e-3)],
)
def test_a_till_at_which_nobody_could_pay_or_a_thief_could_is_an_error(
    name: str, value: object, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=name):
        load_till(tmp_path, as_toml(TILL, **{name: value}))


def test_a_till_offers_both_ways_unless_a_setting_says_otherwise(tmp_path: Path) -> None:
    till = load_till(tmp_path, as_toml(TILL))

    assert (till.ways, till.held_fmr) == ((Way.OPEN_HAND, Way.HELD_KEY), 1e-4)
    assert msgspec.structs.replace(till, ways=(Way.HELD_KEY,), held_fmr=1e-3).ways == (Way.HELD_KEY,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alone_minor_max", 0),
        ("alone_minor_max", 500_01),
        ("alone_since_minor_max", 49_99),
        ("alone_since_number_max", 0),
        ("alone_per_day_minor_max", 0),
        ("alone_per_day_minor_max", 1000_01),
        ("payment_minor_max", 0),
        ("payment_minor_max", AMOUNT_MINOR_MAX + 1),
        ("day_minor_max", 499_99),
    ],
)
def test_a_limit_of_payments_that_is_none_is_an_error(name: str, value: int) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(PaymentLimits(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("digits_min", 3),
        ("digits_min", 13),
        ("wrong_in_a_row_max", 0),
        ("wrong_in_a_row_max", 11),
        ("tries_per_minute_max", 0),
        ("tries_per_day_max", 5),
        ("lock_s_min", 0.5),
        ("lock_s_max", 200.0),
        ("forget_s", 24 * 3600.0),
    ],
)
def test_a_limit_of_a_pin_that_is_none_is_an_error(name: str, value: float) -> None:
    with pytest.raises(ConfigError):
        msgspec.structs.replace(PinLimits(), **{name: value})


def test_the_default_limits_are_those_of_the_law_and_notes_are_made_for_the_most() -> None:
    assert limits_of_payment(PaymentLimits(), currency="EUR") == CONTACTLESS_EUR
    by_number = PaymentLimits(alone_since=AloneSince.NUMBER)
    assert limits_of_payment(by_number, currency="EUR").alone_since == 5
    assert denomination.AMOUNT_MINOR_MAX == AMOUNT_MINOR_MAX


@pytest.mark.parametrize(
    ("origin", "is_secure"),
    [
        ("https://wallet.example.org", True),
        ("https://wallet.example.org:8443", True),
        ("http://wallet.localhost:8401", True),
        ("http://localhost", True),
        ("http://wallet.example.org", False),
        ("http://localhost.example.org", False),
        ("https://127.0.0.1:8401", False),
        ("http://127.0.0.1", False),
        ("https://wallet.example.org/", False),
        ("https://wallet.example.org:65536", False),
        ("https://a@wallet.example.org", False),
        ("wallet.example.org", False),
        ("https://wallet.example.org\n", False),
    ],
)
def test_passkeys_are_offered_where_browsers_allow_them(origin: str, is_secure: bool) -> None:
    assert is_secure_origin(origin) == is_secure
    if not is_secure:
        with pytest.raises(ConfigError, match="wallet_origin"):
            msgspec.structs.replace(EVERY_ROLE["issuer"], wallet_origin=origin)


@pytest.mark.parametrize("minor", [0, AMOUNT_MINOR_MAX + 1])
def test_a_venue_that_takes_nothing_or_more_than_there_are_notes_for_is_an_error(minor: int) -> None:
    with pytest.raises(ConfigError, match="palm_minor_max"):
        MerchantEntry("Shop", Secret(TOKEN), {}, palm_minor_max=minor)


@pytest.mark.parametrize("percents", [(0,), (101,), (-5,), (5, 5), (1, 2, 3, 4)])
def test_tips_that_make_no_sense_are_refused(percents: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="tip_percents"):
        MerchantEntry("Corner Café", Secret(TOKEN), {"till-1": Secret(TOKEN)}, tip_percents=percents)


def test_a_merchant_may_offer_as_many_tips_as_a_payment() -> None:
    percents = tuple(range(1, CHOICES_MAX + 1))

    entry = MerchantEntry("Corner Café", Secret(TOKEN), {"till-1": Secret(TOKEN)}, tip_percents=percents)

    assert TipOffer(entry.tip_percents).percents == percents


@pytest.mark.parametrize(("hold_s", "is_taken"), [(0, False), (1, True), (604_800, True), (604_801, False)])
def test_for_how_long_at_most_is_reserved_has_bounds(hold_s: int, is_taken: bool) -> None:
    def make() -> IssuerConfig:
        return IssuerConfig(8401, {"acquirer": Secret(TOKEN)}, LINKS, PARTIES, hold_s_max=hold_s)

    if is_taken:
        assert make().hold_s_max == hold_s
    else:
        with pytest.raises(ConfigError, match="hold_s_max"):
            make()
