"""
`handsel certify` prints a setting that the matcher's settings take, and nothing of the private key.
"""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from handsel.certificate import require_certificate_of, require_lasting
from handsel.cli.main import main
from handsel.clock import system_clock
from handsel.keys import PartyKeys, PublicKeys


def test_a_new_certificate_is_of_the_same_key_and_lasts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = PartyKeys.generate()
    keys.save(tmp_path / "identity.key")

    assert main(["certify", "b", "--keys", str(tmp_path / "identity.key")]) == 0

    said = capsys.readouterr().out
    certificate = b64decode(tomllib.loads(said)["certificate"])
    require_certificate_of(keys.public(), certificate)
    require_lasting(certificate, whose="matcher b", now_ms=system_clock())
    assert "[parties.matchers.b]" in said
    assert keys.sign.private_bytes_raw() not in certificate


def test_new_keys_are_printed_with_the_certificate_and_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["certify", "c", "--keys", str(tmp_path / "identity.key"), "--new-keys"]

    assert main(asked) == 0

    said = tomllib.loads(capsys.readouterr().out)
    public = PublicKeys(b64decode(said["seal"]), b64decode(said["sign"]))
    assert PartyKeys.load(tmp_path / "identity.key").public() == public
    require_certificate_of(public, b64decode(said["certificate"]))
    assert main(asked) == 78
    assert PartyKeys.load(tmp_path / "identity.key").public() == public


def test_two_certificates_of_a_key_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PartyKeys.generate().save(tmp_path / "identity.key")

    said = set()
    for _ in range(2):
        main(["certify", "b", "--keys", str(tmp_path / "identity.key")])
        said.add(capsys.readouterr().out)

    assert len(said) == 2


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PartyKeys.generate().save(tmp_path / "identity.key")
    (tmp_path / "identity.key").chmod(0o644)

    assert main(["certify", "a", "--keys", str(tmp_path / "identity.key")]) == 78
    assert "chmod 600" in capsys.readouterr().err
