"""
The command makes what is missing, prints the public half and nothing else, and overwrites nothing.
"""

from __future__ import annotations

import stat
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from handsel.cli.main import main
from handsel.notes.keep import load_root, read_secret


def printed(capsys: pytest.CaptureFixture[str]) -> bytes:
    """
    Return the key in what was printed as a setting.
    """
    return b64decode(tomllib.loads(capsys.readouterr().out)["note_root"])


def test_it_makes_a_root_once_and_prints_its_public_half(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["root", "--dir", str(tmp_path)]) == 0
    first = printed(capsys)
    assert main(["root", "--dir", str(tmp_path)]) == 0

    assert printed(capsys) == first
    root = load_root(tmp_path / "notes-root.key", read_secret(tmp_path / "notes.secret"))
    assert root.public_key().public_bytes_raw() == first
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_the_secret_may_lie_elsewhere_and_is_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "credential"
    secret.write_text("s" * 40)
    secret.chmod(0o600)
    (tmp_path / "issuer").mkdir()

    status = main(["root", "--dir", str(tmp_path / "issuer"), "--secret-file", str(secret)])

    assert status == 0
    assert "s" * 40 not in "".join(capsys.readouterr())
    assert [path.name for path in (tmp_path / "issuer").iterdir()] == ["notes-root.key"]


def test_a_root_that_another_secret_encrypted_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["root", "--dir", str(tmp_path)])
    before = (tmp_path / "notes-root.key").read_bytes()
    (tmp_path / "notes.secret").write_text("t" * 64)

    status = main(["root", "--dir", str(tmp_path)])

    assert status != 0
    assert "does not open" in capsys.readouterr().err
    assert (tmp_path / "notes-root.key").read_bytes() == before
