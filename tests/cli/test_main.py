"""
The command line says in its exit status how it ended.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from handsel import errors
from handsel.cli import main as command_line


def tree(root: type[errors.HandselError]) -> Iterator[type[errors.HandselError]]:
    """
    Yield a class and all below it.
    """
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_every_exception_has_an_exit_status() -> None:
    """
    Whatever is raised, the table knows it; none is a success, a verb's own no, or Ctrl-C.
    """
    assert set(command_line.EXIT_STATUS) == set(tree(errors.HandselError))
    assert not set(command_line.EXIT_STATUS.values()) & {0, 1, 2, command_line.INTERRUPTED}


def test_every_verb_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Who asks for help sees all there is.
    """
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert [verb for verb in command_line.VERBS if not re.search(rf"^    {verb}\s", said, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("raised", "status"),
    [(errors.PortTaken("port 1 is in use"), 71), (errors.ConfigError("no such file"), 78), (KeyboardInterrupt(), 130)],
    ids=["port", "settings", "Ctrl-C"],
)
def test_an_exception_becomes_a_line_and_a_status(
    raised: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    No traceback reaches a person.
    """

    def fail(_: argparse.Namespace) -> int:
        raise raised

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=fail)
    monkeypatch.setattr(command_line, "build_parser", lambda _: parser)

    assert command_line.main([]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_a_missing_configuration_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A technician reads which file is missing.
    """
    assert command_line.main(["issuer", "--config", "nowhere.toml"]) == 78
    assert "nowhere.toml cannot be read" in capsys.readouterr().err
