"""
The lay-out of a Handsel on one machine: every party's keys, settings and data are its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handsel.certificate import require_certificate_of, require_lasting
from handsel.clock import system_clock
from handsel.config import AcquirerConfig, IssuerConfig, MatcherConfig, TillConfig, load_config
from handsel.errors import ConfigError, PortTaken
from handsel.keys import PartyKeys
from handsel.limits import TillLimits
from handsel.proof.head import load_tree_key, public_half
from handsel.watch_settings import WatchedParty
from handsel.wiring.demo import HOST, UNHURRIED, Ports, free_ports, set_up, start
from handsel.wiring.serve import take_port

PARTIES = {"issuer", "acquirer", "matcher-a", "matcher-b", "matcher-c", "till"}
PORTS = Ports(8401)


def test_no_two_ports_are_the_same() -> None:
    """
    Nine listeners, nine ports.
    """
    assert len(set(PORTS.all())) == 9


def test_each_party_has_a_private_directory_with_its_own_keys(tmp_path: Path) -> None:
    """
    Directories are 0700, files 0600, and no two parties share a key or a token.
    """
    set_up(tmp_path / "demo", PORTS)

    homes = {home.name: home for home in (tmp_path / "demo").iterdir()}
    files = [file for home in homes.values() for file in home.iterdir()]
    public = {PartyKeys.load(home / "identity.key").public().seal for home in homes.values()}
    assert set(homes) == PARTIES
    assert {home.stat().st_mode & 0o777 for home in homes.values()} == {0o700}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(public) == len(PARTIES)


def test_the_till_may_ask_as_often_as_usual_unless_somebody_walks(tmp_path: Path) -> None:
    set_up(tmp_path / "demo", PORTS)
    set_up(tmp_path / "walk", PORTS, till_limits=UNHURRIED)

    usual, walk = (
        load_config(tmp_path / name / "acquirer" / "config.toml", AcquirerConfig, role="acquirer").till_limits
        for name in ("demo", "walk")
    )
    assert (usual, walk) == (TillLimits(), UNHURRIED)


def test_every_link_has_a_token_of_its_own_that_both_ends_know(tmp_path: Path) -> None:
    """
    What one end presents, the other end expects, and nobody else has.
    """
    set_up(tmp_path, PORTS)

    issuer = load_config(tmp_path / "issuer" / "config.toml", IssuerConfig, role="issuer")
    acquirer = load_config(tmp_path / "acquirer" / "config.toml", AcquirerConfig, role="acquirer")
    till = load_config(tmp_path / "till" / "config.toml", TillConfig, role="till")
    tokens = [issuer.acquirers["acquirer"].reveal(), till.acquirer.token.reveal()]
    for name in "abc":
        matcher = load_config(tmp_path / f"matcher-{name}" / "config.toml", MatcherConfig, role="matcher")
        assert matcher.callers["issuer"].reveal() == issuer.matchers[name].token.reveal()
        assert matcher.callers["acquirer"].reveal() == acquirer.matchers[name].token.reveal()
        tokens += [caller.reveal() for caller in matcher.callers.values()]
    assert acquirer.issuer.token.reveal() == issuer.acquirers["acquirer"].reveal()
    assert len(set(tokens)) == len(tokens)


def test_issuer_and_acquirer_watch_each_other_by_the_keys_that_they_sign_with(tmp_path: Path) -> None:
    set_up(tmp_path, PORTS)
    homes = {name: tmp_path / name for name in ("issuer", "acquirer")}
    keys = {name: public_half(load_tree_key(home / "tree.key"), party=name).key for name, home in homes.items()}

    issuer = load_config(homes["issuer"] / "config.toml", IssuerConfig, role="issuer")
    acquirer = load_config(homes["acquirer"] / "config.toml", AcquirerConfig, role="acquirer")

    assert issuer.watched == {"acquirer": WatchedParty(f"http://{HOST}:{PORTS.acquirer}", keys["acquirer"])}
    assert acquirer.watched == {"issuer": WatchedParty(f"http://{HOST}:{PORTS.issuer}", keys["issuer"])}


def test_every_matcher_has_a_certificate_of_its_own_key_that_all_know(tmp_path: Path) -> None:
    """
    Nobody has to do anything for the matchers to know each other.
    """
    set_up(tmp_path, PORTS)

    known = [
        load_config(tmp_path / f"matcher-{name}" / "config.toml", MatcherConfig, role="matcher").parties.matchers
        for name in "abc"
    ]
    assert known[0] == known[1] == known[2]
    assert len({party.certificate for party in known[0].values()}) == 3
    for name, party in known[0].items():
        keys = PartyKeys.load(tmp_path / f"matcher-{name}" / "identity.key").public()
        require_certificate_of(keys, party.certificate)
        require_lasting(party.certificate, whose=name, now_ms=system_clock())


def test_a_second_set_up_keeps_everything(tmp_path: Path) -> None:
    """
    Keys and tokens stay, and so does what customers have.
    """
    first = set_up(tmp_path, PORTS)
    again = set_up(tmp_path, PORTS)

    assert again.merchant_key.reveal() == first.merchant_key.reveal()


def test_a_set_up_that_was_interrupted_is_made_again(tmp_path: Path) -> None:
    """
    The settings that are written last say that all are there.
    """
    set_up(tmp_path, PORTS)
    (tmp_path / "acquirer" / "config.toml").unlink()

    demo = set_up(tmp_path, PORTS)

    assert len(demo.merchant_key.reveal()) == 64


def test_other_ports_than_those_laid_out_are_refused(tmp_path: Path) -> None:
    """
    The message names the ports that were laid out.
    """
    set_up(tmp_path, PORTS)

    with pytest.raises(ConfigError, match="--port 8401"):
        set_up(tmp_path, Ports(9401))


def test_a_port_in_use_stops_the_start_before_anything_runs(tmp_path: Path) -> None:
    """
    Nothing half-started stays.
    """
    ports = free_ports()
    demo = set_up(tmp_path, ports)
    said: list[str] = []

    with take_port(HOST, ports.till), pytest.raises(PortTaken, match=f"port {ports.till} is in use"):
        start(demo, ports, said.append)

    assert said == []


def test_the_merchant_key_is_not_in_the_repr(tmp_path: Path) -> None:
    """
    Printing the demo prints no secret.
    """
    demo = set_up(tmp_path, PORTS)

    assert demo.merchant_key.reveal() not in repr(demo)


def test_the_gallery_that_was_planned_stands_in_the_settings_of_all(tmp_path: Path) -> None:
    """
    The threshold is the curve's for so many palms, and grows with them.
    """
    small, large = (
        set_up(tmp_path / str(palms), PORTS, palms=palms, fpir=1e-3).gallery.threshold for palms in (100, 1200)
    )
    home = tmp_path / "1200"
    parties = [
        load_config(home / "issuer" / "config.toml", IssuerConfig, role="issuer").parties,
        load_config(home / "matcher-c" / "config.toml", MatcherConfig, role="matcher").parties,
        load_config(home / "till" / "config.toml", TillConfig, role="till").parties,
    ]

    assert small < large
    assert {(each.threshold, each.palms_max, each.fpir) for each in parties} == {(large, 1200, 1e-3)}


def test_a_gallery_beyond_the_curve_is_not_laid_out(tmp_path: Path) -> None:
    """
    The largest that is supported is; one palm more is refused, and nothing is written.
    """
    largest = set_up(tmp_path / "first", PORTS).palms_supported

    set_up(tmp_path / "largest", PORTS, palms=largest)
    with pytest.raises(ConfigError, match="1 digit"):
        set_up(tmp_path / "larger", PORTS, palms=largest + 1)

    assert not (tmp_path / "larger").exists()


def test_another_gallery_than_the_one_laid_out_is_refused(tmp_path: Path) -> None:
    set_up(tmp_path, PORTS, palms=50)

    assert set_up(tmp_path, PORTS).gallery.palms == 50
    with pytest.raises(ConfigError, match="laid out for 50 palms"):
        set_up(tmp_path, PORTS, palms=51)
