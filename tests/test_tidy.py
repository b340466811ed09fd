"""
The rules of the house hold in every file; and each rule finds what breaks it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests import tidy
from tests.tidy import File

ROOT = Path(__file__).resolve().parent.parent
RULES_AND_PLANTS = {PurePosixPath("tests/tidy.py"), PurePosixPath("tests/test_tidy.py")}

Rule = Callable[[File], Iterator[str]]
Choice = Callable[[PurePosixPath], bool]


@cache
def committed() -> tuple[File, ...]:
    """
    Return every file that is committed, or that would be.
    """
    paths = _listed_by_git() if (ROOT / ".git").exists() and shutil.which("git") else _found_below_root()
    return tuple(File(path, (ROOT / path).read_bytes()) for path in paths if (ROOT / path).is_file())


def _listed_by_git() -> list[PurePosixPath]:
    # Those that git tracks, and those that it neither knows nor ignores.
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [PurePosixPath(name) for name in listed.stdout.split("\0") if name]


def _found_below_root() -> list[PurePosixPath]:
    # An unpacked archive has no history; what was made since, by setting up or by testing, is left out.
    made = {".git", ".venv", ".handsel", "__pycache__", "build", "dist", "out"}
    every = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    kept = (
        path for path in every if not made & set(path.parts) and not path.parts[0].endswith((".egg-info", "_cache"))
    )
    return [PurePosixPath(path) for path in kept if not any(part.endswith(".egg-info") for part in path.parts)]


def below(*directories: str) -> Choice:
    """
    Choose the Python files below some directories.
    """
    return lambda path: path.suffix == ".py" and path.parts[0] in directories


def sent_to_browsers(path: PurePosixPath) -> bool:
    """
    Choose templates, scripts, styles and drawings.
    """
    return path.suffix in {".html", ".js", ".css", ".svg"} and path.is_relative_to("src/handsel/web")


def lock_files(path: PurePosixPath) -> bool:
    """
    Choose the lock files.
    """
    return path.suffix == ".lock"


def fragments(path: PurePosixPath) -> bool:
    """
    Choose the fragments of the changelog.
    """
    return path.parts[0] == "changelog.d"


def everything(path: PurePosixPath) -> bool:
    """
    Choose every file but those that must hold what the rules look for.
    """
    return path not in RULES_AND_PLANTS


RULES: list[tuple[Rule, Choice]] = [
    (tidy.function_length, below("src", "tests", "training", "bench")),
    (tidy.file_length, below("src")),
    (tidy.banned_names, below("src", "training", "bench")),
    (tidy.missing_docstrings, below("src", "training", "bench")),
    (tidy.docstring_form, below("src", "tests", "training", "bench")),
    (tidy.ignored_types, below("src", "training", "bench")),
    (tidy.assertions, below("src", "training", "bench")),
    (tidy.prints, below("src")),
    (tidy.star_imports, below("src", "tests", "training", "bench")),
    (tidy.commented_out_code, below("src", "tests", "training", "bench")),
    (tidy.work_at_import, below("src")),
    (tidy.foreign_addresses, sent_to_browsers),
    (tidy.unlocked_requirements, lock_files),
    (tidy.changelog_fragment, fragments),
    (tidy.left_over, everything),
    (tidy.registries_and_machine_paths, everything),
    (tidy.large_file, everything),
    (tidy.photograph, everything),
]

DOCUMENTED = '"""\nHold a thing.\n"""\n'
LONG_BODY = "    x = 1\n" * 49
SHA = "--hash=sha256:" + "0" * 64
PNG = b"\x89PNG\r\n\x1a\n"

# Of each rule: where a file lies, what breaks the rule there, and the nearest thing that does not.
PLANTS: list[tuple[Rule, str, str, str]] = [
    (tidy.function_length, "src/x.py", f"def f():\n{LONG_BODY}    return x\n", f"def f():\n{LONG_BODY}"),
    (tidy.file_length, "src/x.py", "x = 1\n" * 401, "x = 1\n" * 400),
    (tidy.banned_names, "src/x.py", "def load_data(): ...", "def load_database(): ..."),
    (tidy.banned_names, "src/x.py", "class PalmManager: ...", "class Palm: ..."),
    (tidy.banned_names, "src/x.py", "class A:\n    def handle_click(self): ...", "class A:\n    def click(self): ..."),
    (tidy.banned_names, "src/x.py", "def process(): ...", "def process_id(): ..."),
    (tidy.missing_docstrings, "src/x.py", "x = 1", ""),
    (tidy.missing_docstrings, "src/x.py", f"{DOCUMENTED}def f(): ...", f"{DOCUMENTED}def _f(): ..."),
    (tidy.missing_docstrings, "src/x.py", f"{DOCUMENTED}async def f(): ...", f"{DOCUMENTED}async def _f(): ..."),
    (tidy.missing_docstrings, "src/x.py", f"{DOCUMENTED}class A: ...", f"{DOCUMENTED}class _A:\n    def f(self): ..."),
    (tidy.docstring_form, "src/x.py", '"""Hold a thing."""', DOCUMENTED),
    (tidy.docstring_form, "src/x.py", '"""\nHold a thing."""', DOCUMENTED),
    (tidy.docstring_form, "src/x.py", '"""\nHold a thing\n"""', '"""\nHold a thing, which\ntakes two lines.\n"""'),
    (tidy.docstring_form, "src/x.py", '"""\nhold a thing.\n"""', '"""\n`x` is a thing.\n"""'),
    (tidy.ignored_types, "src/x.py", "x = f()  # type: ignore[misc]", "x = f()  # The type is ignored."),
    (tidy.assertions, "src/x.py", "assert x", 'ensure(x, "x is true")'),
    (tidy.prints, "src/handsel/pay/x.py", "def f():\n    print(1)", "def f():\n    say(1)"),
    (tidy.star_imports, "src/x.py", "from os import *", "from os import path"),
    (tidy.commented_out_code, "src/x.py", "# x = f(1)", "# The result is x."),
    (tidy.commented_out_code, "src/x.py", "# from os import path", "# Taken from the file."),
    (tidy.commented_out_code, "src/x.py", "# if f(x):", "# If f (x) holds:"),
    (tidy.commented_out_code, "src/x.py", "# log.event(1)", "x = 1  # f(x)"),
    (tidy.commented_out_code, "src/x.py", "    # return f(x)\n", "# (N, D)"),
    (tidy.work_at_import, "src/x.py", "x = open('y')", "def f():\n    return open('y')"),
    (tidy.work_at_import, "src/x.py", "cv2.setNumThreads(1)", "def f():\n    cv2.setNumThreads(1)"),
    (tidy.work_at_import, "src/x.py", "class A:\n    x = sqlite3.connect('y')", "class A:\n    x = frozenset({'y'})"),
    (tidy.work_at_import, "src/x.py", "def f(x=Path('y').read_text()): ...", "f = lambda: Path('y').read_text()"),
    (tidy.work_at_import, "src/x.py", "if True:\n    main()", "if __name__ == '__main__':\n    main()"),
    (tidy.work_at_import, "src/x.py", "os.environ['X'] = '1'", "x = os.environ"),
    (tidy.foreign_addresses, "x.html", '<img src="https://a.example/x.png">', '<img src="/static/x.png">'),
    (tidy.foreign_addresses, "x.svg", '<a href="http://a.example">', '<svg xmlns="http://www.w3.org/2000/svg">'),
    (tidy.unlocked_requirements, "x.lock", "numpy==1.0", f"numpy==1.0 \\\n    {SHA}"),
    (tidy.unlocked_requirements, "x.lock", f"numpy>=1.0 {SHA}", f"numpy==1.0 ; python_version < '4' {SHA}"),
    (tidy.unlocked_requirements, "x.lock", f"numpy @ https://a.example/n.whl {SHA}", f"numpy==1.0 {SHA} {SHA}"),
    (tidy.unlocked_requirements, "x.lock", "--index-url https://a.example", "# Made by a command."),
    (tidy.changelog_fragment, "changelog.d/walk.md", "Add a thing.", ""),
    (tidy.changelog_fragment, "changelog.d/walk.added.md", "a thing.", "Add a thing."),
    (tidy.changelog_fragment, "changelog.d/walk.added.md", "Add a thing", "Add a thing.\n"),
    (tidy.changelog_fragment, "changelog.d/walk.added.md", "# Added.", "Add two\nthings."),
    (tidy.left_over, "x.md", "TO" + "DO: later", "to do"),
    (tidy.left_over, "src/x.py", "# X" + "XX why?", 'Money(1, "X' + 'XX")'),
    (tidy.left_over, "src/x.py", "raise Not" + "ImplementedError", "raise NotFound"),
    (tidy.registries_and_machine_paths, "x.md", "https://pypi" + ".org/", "a package registry"),
    (tidy.registries_and_machine_paths, "x.lock", "--index-" + "url x", "--hash x"),
    (tidy.registries_and_machine_paths, "x.md", "see /" + "root/x", "see docs/root/x"),
    (tidy.registries_and_machine_paths, "x.py", "'/" + "tmp/x'", "tmp_path / 'x'"),
    (tidy.registries_and_machine_paths, "x.py", "'/" + "home/ann/x'", "get('/home')"),
]


@pytest.mark.parametrize(("rule", "choice"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_the_rule_holds_in_every_file(rule: Rule, choice: Choice) -> None:
    chosen = [file for file in committed() if choice(file.path)]

    assert [finding for file in chosen for finding in rule(file)] == []


@pytest.mark.parametrize(("rule", "path", "broken", "kept"), PLANTS)
def test_a_planted_violation_is_found(rule: Rule, path: str, broken: str, kept: str) -> None:
    assert list(rule(File(PurePosixPath(path), broken.encode()))) != []
    if kept:
        assert list(rule(File(PurePosixPath(path), kept.encode()))) == []


def test_a_planted_module_name_is_found() -> None:
    assert list(tidy.banned_names(File(PurePosixPath("src/handsel/pay/utils.py"), b""))) != []
    assert list(tidy.banned_names(File(PurePosixPath("src/handsel/core/money.py"), b""))) != []
    assert list(tidy.banned_names(File(PurePosixPath("src/handsel/pay/database.py"), b""))) == []


def test_printing_is_left_to_the_command_line() -> None:
    content = b"print(1)"

    assert list(tidy.prints(File(PurePosixPath("src/handsel/cli/walk.py"), content))) == []
    assert list(tidy.prints(File(PurePosixPath("src/handsel/till/agent.py"), content))) != []


def test_a_planted_large_file_is_found() -> None:
    path = PurePosixPath("models/x.npz")

    assert list(tidy.large_file(File(path, bytes(tidy.FILE_BYTES_MAX)))) != []
    assert list(tidy.large_file(File(path, bytes(tidy.FILE_BYTES_MAX - 1)))) == []


@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xe0", PNG, b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "])
def test_a_planted_photograph_is_found_whatever_it_is_called(start: bytes) -> None:
    largest = start.ljust(tidy.PICTURE_BYTES_MAX, b"\0")

    assert list(tidy.photograph(File(PurePosixPath("tests/vectors/palm.bin"), largest + b"\0"))) != []
    assert list(tidy.photograph(File(PurePosixPath("tests/vectors/palm.bin"), largest))) == []
    assert list(tidy.photograph(File(PurePosixPath("docs/images/story.png"), largest + b"\0"))) == []


def test_a_picture_with_a_cameras_marks_is_found_even_in_the_docs() -> None:
    path = PurePosixPath("docs/images/story.png")

    assert list(tidy.photograph(File(path, b"\xff\xd8\xff\xe1\0\x10Exif\0\0rest"))) != []
    assert list(tidy.photograph(File(path, PNG + b"\0\0\0\x0deXIf"))) != []


def test_a_film_is_found() -> None:
    assert list(tidy.photograph(File(PurePosixPath("docs/images/story.webm"), b"x"))) != []


def test_every_rule_is_applied_and_every_rule_has_a_plant() -> None:
    rules = {
        rule
        for rule in vars(tidy).values()
        if callable(rule) and getattr(rule, "__module__", "") == tidy.__name__ and rule.__name__.islower()
        if not rule.__name__.startswith("_")
    }

    assert {rule for rule, _ in RULES} == rules
    assert {rule for rule, *_ in PLANTS} | {tidy.large_file, tidy.photograph} == rules


def test_the_rules_see_the_repository() -> None:
    paths = {str(file.path) for file in committed()}

    assert {"LICENSE", "README.md", "requirements.lock", "src/handsel/errors.py", "tests/test_tidy.py"} <= paths
    assert not any(path.startswith((".venv/", ".git/")) for path in paths)


def test_an_unpacked_archive_is_seen_alike() -> None:
    assert {file.path for file in committed()} <= set(_found_below_root())


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text()

    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert all(f"\n   {number}. " in text for number in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text and "APPENDIX: How to apply the Apache License" in text
