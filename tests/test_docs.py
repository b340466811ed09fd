"""
What the documents say is so: every name that a user can meet stands in them, and every command and link in them works.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

from handsel import __version__
from handsel.pay.decline import DeclineReason
from handsel.till.hint import TillHint
from handsel.till.texts import DECLINES
from handsel.vision.quality import Reason
from handsel.web.errors import STATUS
from tests.reference import (
    GENERATED,
    REFERENCE,
    ROOT,
    commands,
    options,
    rewritten,
    routes,
    routes_in,
    settings,
)
from tests.test_errors import every_error
from tests.test_tidy import committed

MARKDOWN = sorted(file.path for file in committed() if file.path.suffix == ".md")
_LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def section(text: str, heading: str) -> str:
    """
    Return what stands below the heading that contains `heading`, up to the next of its level or above.
    """
    found = re.search(rf"^(#+) [^\n]*{re.escape(heading)}[^\n]*\n", text, re.MULTILINE)
    if found is None:
        return ""
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found.group(1))}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def first_cells(text: str) -> list[str]:
    """
    Return the code in the first cell of each row of the tables in `text`.
    """
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def broken_links(path: Path, text: str) -> list[str]:
    """
    Return the relative links of a document that lead nowhere.
    """
    broken = []
    for target in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = path if not name else (path.parent / unquote(name))
        if not to.exists() or (anchor and anchor not in anchors(to.read_text() if name else text)):
            broken.append(target)
    return broken


def anchors(text: str) -> set[str]:
    """
    Return the anchors of a document's headings, as the page of a repository makes them.
    """
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(_FENCE.sub("", text))
    }


def commands_in(text: str) -> Iterator[list[str]]:
    """
    Yield the words of each command of ours in a document: `make …` and `handsel …`, in blocks and within lines.
    """
    lines = [line for block in _FENCE.findall(text) for line in block.splitlines()]
    for line in (*lines, *_INLINE.findall(_FENCE.sub("", text))):
        words = line.split("#")[0].strip().removeprefix("$ ").removeprefix(".venv/bin/")
        if re.match(r"(?:make|handsel)(?: [a-z-]|$)", words):
            yield shlex.split(words)


def unknown_words(words: list[str]) -> list[str]:
    """
    Return the words of a command that stand for no target, verb or option.
    """
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        return [word for word in words[1:] if "=" not in word and word not in targets]
    if len(words) == 1:
        return []
    known_verbs = commands()
    verb = next((verb for verb in known_verbs if words[1:] and f"{' '.join(words[1:])} ".startswith(f"{verb} ")), None)
    if verb is None:
        return [] if words[1] in ("--help", "--version") else [words[1]]
    parser = known_verbs[verb]
    known = {spelling for action in parser._actions for spelling in action.option_strings}
    return [word for word in words[2:] if word.startswith("--") and word.split("=")[0] not in known]


def test_the_generated_tables_are_those_of_the_code() -> None:
    """
    Run `.venv/bin/python -m tests.reference` where this fails.
    """
    text = REFERENCE.read_text()

    assert [name for name in GENERATED if f"<!-- begin {name} -->" not in text] == []
    assert rewritten(text) == text


def test_a_stale_table_is_found() -> None:
    stale = REFERENCE.read_text().replace("`store_full`", "`store_fool`")

    assert rewritten(stale) != stale


def test_every_error_code_is_documented() -> None:
    assert first_cells(section(REFERENCE.read_text(), "Errors")) == [kind.code for kind in STATUS]
    assert set(STATUS) == set(every_error())


def test_every_reason_is_documented_in_its_precedence() -> None:
    text = REFERENCE.read_text()

    assert first_cells(section(text, "Declines")) == [str(reason) for reason in DeclineReason]
    assert first_cells(section(text, "Rejected frames")) == [str(reason) for reason in (*Reason, *TillHint)]


def test_a_till_has_words_for_every_reason() -> None:
    assert {str(reason) for reason in DeclineReason} - set(DECLINES) == set()


def test_every_command_and_option_is_documented() -> None:
    text = section(REFERENCE.read_text(), "Commands")

    assert re.findall(r"^### `handsel ([\w -]+)`", text, re.MULTILINE) == list(commands())
    for verb, parser in commands().items():
        assert len(first_cells(section(text, f"`handsel {verb}`"))) == len(options(parser))


def test_every_command_and_option_explains_itself() -> None:
    assert [verb for verb, parser in commands().items() if not parser.description] == []
    assert [action.dest for parser in commands().values() for action in options(parser) if not action.help] == []


@pytest.mark.parametrize("kind", sorted(settings()))
def test_every_setting_is_documented_and_none_besides(kind: str) -> None:
    documented = first_cells(section(REFERENCE.read_text(), f"`{kind}`"))

    assert sorted(documented) == sorted(settings()[kind])


def test_every_module_with_routes_is_documented() -> None:
    named = re.findall(r"^### [^\n]*`(web/\w+\.py)`", section(REFERENCE.read_text(), "Routes"), re.MULTILINE)

    assert sorted(named) == sorted(routes())


@pytest.mark.parametrize("module", sorted(routes()))
def test_every_route_is_documented_and_none_besides(module: str) -> None:
    documented = first_cells(section(REFERENCE.read_text(), f"`{module}`"))

    assert sorted(documented) == sorted(routes()[module])


def test_routes_are_found_however_they_are_declared() -> None:
    source = """
def post(path, answer):
    return Route(path, answer, methods=["POST"])

post("/a/{id}", answer)
Route("/b", page)
Route("/c", page, methods=["GET", "POST"])
Mount("/static", files)
go("/elsewhere")
client.post("/not-a-route")
"""

    assert set(routes_in(source)) == {"POST /a/{id}", "GET /b", "GET /c", "POST /c", "GET /static"}


def test_no_route_hides_behind_a_computed_path() -> None:
    """
    A path that is not written out is not seen by the check above.
    """
    computed = re.compile(r"(?<![.\w])(?:get|post|page|form|Route|Mount)\(\s*(?:f[\"']|[A-Z_]{3,}\b|\w+ \+)")
    sources = [file for file in committed() if str(file.path).startswith("src/handsel/web/")]

    assert [str(file.path) for file in sources if computed.search(file.text)] == []
    assert computed.search('[page(f"/wallet/{x}", show)]')
    assert computed.search("Route(WALLET_PATH, show)")


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_every_relative_link_leads_somewhere(path: PurePosixPath) -> None:
    assert broken_links(ROOT / path, (ROOT / path).read_text()) == []


def test_a_broken_link_is_found() -> None:
    text = (
        "# Title\n[a](LICENSE) [b](nowhere.md) [c](#title) [d](#nowhere) ![e](no.png) [f](https://a.example) `[g](x)`"
    )

    assert broken_links(ROOT / "README.md", text) == ["nowhere.md", "#nowhere", "no.png"]


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_every_command_in_the_documents_exists(path: PurePosixPath) -> None:
    found = list(commands_in((ROOT / path).read_text()))

    assert [words for words in found if unknown_words(words)] == []


def test_a_command_that_does_not_exist_is_found() -> None:
    text = "Try `make demo`, `make tea`, `handsel walk`.\n```\n$ handsel fly\nhandsel walk --speed 3  # fast\n```\n"

    assert [words for words in commands_in(text) if unknown_words(words)] == [
        ["handsel", "fly"],
        ["handsel", "walk", "--speed", "3"],
        ["make", "tea"],
    ]


def test_the_readme_names_both_commands() -> None:
    named = list(commands_in((ROOT / "README.md").read_text()))

    assert ["make", "demo"] in named and ["make", "test"] in named


def test_every_decision_is_in_the_list() -> None:
    written = {path.name for path in (ROOT / "docs/adr").glob("0*.md")}
    listed = set(_LINK.findall((ROOT / "docs/adr/README.md").read_text()))

    assert listed == written


@pytest.mark.parametrize("path", sorted((ROOT / "docs/adr").glob("0*.md")), ids=lambda path: path.stem)
def test_every_decision_has_the_same_form(path: Path) -> None:
    text = path.read_text()

    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Rejected", "Consequences"]


def test_the_tree_in_the_architecture_is_the_tree() -> None:
    drawn = set(re.findall(r"^  (\w+)/ ", section((ROOT / "ARCHITECTURE.md").read_text(), "The tree"), re.MULTILINE))
    real = {path.name for path in (ROOT / "src/handsel").iterdir() if path.is_dir() and (path / "__init__.py").exists()}

    assert drawn - {"models"} == real


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_layers_in_the_documents_are_those_that_are_checked(name: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")

    expected = " → ".join(layer.replace("handsel.", "").replace(" : ", " ") for layer in layers)
    drawn = [" ".join(block.split()) for block in _FENCE.findall((ROOT / name).read_text())]
    assert expected in drawn


def test_every_file_that_the_documents_name_exists() -> None:
    """
    A file is named by its path within the repository or within the package.
    """
    named = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|md|toml|npz))`")
    missing = [
        f"{path}: {name}"
        for path in MARKDOWN
        for name in named.findall((ROOT / path).read_text())
        if not any((base / name).exists() for base in (ROOT, ROOT / "src/handsel", ROOT / "src", (ROOT / path).parent))
    ]

    assert missing == []


def test_the_version_is_one() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
