"""
Tell what docs/reference.md must say, from the objects that it is about; and write its generated tables.

Run it after a change: `.venv/bin/python -m tests.reference`. A generated table stands between `<!-- begin NAME -->` and
`<!-- end NAME -->`; everything else in the document is written by hand.
"""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from handsel import bank_settings, config, limits, watch_settings
from handsel.cli.main import EXIT_STATUS, build_parser
from handsel.pay.decline import DeclineReason
from handsel.till.hint import TillHint
from handsel.till.texts import HINTS, decline_text
from handsel.vision.quality import Reason
from handsel.web.errors import STATUS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference.md"


def error_table() -> str:
    """
    Return the table of all errors: code, statuses, whether to ask again, and what they mean.
    """
    rows = [
        (f"`{kind.code}`", str(STATUS[kind]), str(EXIT_STATUS[kind]), _yes(kind.is_retryable), _first_line(kind))
        for kind in STATUS
    ]
    return _table(("Code", "HTTP", "Exit", "Ask again", "Meaning"), rows)


def decline_table() -> str:
    """
    Return the table of all reasons for which something is declined, in their precedence.
    """
    return _table(
        ("Reason", "What the customer is told at the till"),
        [(f"`{reason}`", decline_text(reason)) for reason in DeclineReason],
    )


def rejection_table() -> str:
    """
    Return the table of all reasons for which a frame is not used, in their precedence.
    """
    return _table(("Reason", "What the customer is told"), [(f"`{reason}`", reason.text) for reason in Reason])


def hint_table() -> str:
    """
    Return the table of what a till says of a frame beside that.
    """
    return _table(("Reason", "What the customer is told"), [(f"`{hint}`", HINTS[hint]) for hint in TillHint])


def command_table() -> str:
    """
    Return the tables of all commands and their options.
    """
    parts = []
    for verb, parser in commands().items():
        rows = [(f"`{_spelling(action)}`", _default(action), action.help or "") for action in options(parser)]
        table = "\n\n" + _table(("Option", "Default", "Meaning"), rows) if rows else ""
        parts.append(f"### `handsel {verb}`\n\n{parser.description}{table}")
    return "\n\n".join(parts)


GENERATED: dict[str, Callable[[], str]] = {
    "commands": command_table,
    "errors": error_table,
    "declines": decline_table,
    "rejections": rejection_table,
    "hints": hint_table,
}


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """
    Return the parser of each verb and, of a verb with kinds, of each kind.
    """
    return dict(_leaves(build_parser()))


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """
    Return the options and arguments of a verb, without `--help`.
    """
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]


@cache
def settings() -> dict[str, set[str]]:
    """
    Return the names of the settings, by the type that holds them.
    """
    modules = (limits, bank_settings, watch_settings, config)
    found = {name: kind for module in modules for name, kind in inspect.getmembers(module, inspect.isclass)}
    return {
        name: {field.name for field in msgspec.structs.fields(kind)}
        for name, kind in found.items()
        if issubclass(kind, msgspec.Struct) and kind.__module__ in {module.__name__ for module in modules}
    }


@cache
def routes() -> dict[str, set[str]]:
    """
    Return every route that a party serves, as `METHOD /path`, by the module that declares it.
    """
    package = ROOT / "src/handsel"
    sources = {str(path.relative_to(package)): path.read_text() for path in sorted(package.rglob("*.py"))}
    makers = {name: methods for source in sources.values() for name, methods in _makers_in(source)}
    found = {name: set(routes_in(source, makers)) for name, source in sources.items()}
    return {name: declared for name, declared in found.items() if declared}


def routes_in(source: str, makers: Mapping[str, tuple[str, ...]] | None = None) -> Iterator[str]:
    """
    Yield the routes that are declared by `Route("/…", …)` or `Mount("/…", …)`, or by a function that makes one of them.
    """
    known = {**dict(_makers_in(source)), **(makers or {})}
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
            continue
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith("/"):
            for method in known.get(call.func.id, _methods(call) if call.func.id in ("Route", "Mount") else ()):
                yield f"{method} {first.value}"


def _leaves(parser: argparse.ArgumentParser, verb: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    kinds = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not kinds:
        yield verb, parser
    for action in kinds:
        for name, child in action.choices.items():
            yield from _leaves(child, f"{verb} {name}".strip())


def _makers_in(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    # Such as `def get(path, …)`, which returns Route(path, respond, methods=["GET"]).
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        parameters = {argument.arg for argument in function.args.args}
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "Route":
                continue
            if isinstance(call.args[0], ast.Name) and call.args[0].id in parameters:
                yield function.name, _methods(call)


def rewritten(text: str) -> str:
    """
    Return the document with its generated tables as they are to be now.
    """
    for name, table in GENERATED.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, found, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{table()}\n\n{end}{after}" if found else text
    return text


def _methods(call: ast.Call) -> tuple[str, ...]:
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "methods"), None)
    return tuple(ast.literal_eval(named)) if named is not None else ("GET",)


def _spelling(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    if action.choices is not None:
        value = "{" + ",".join(str(choice) for choice in action.choices) + "}"
    return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {value}"


def _default(action: argparse.Action) -> str:
    if action.required:
        return "required"
    is_none = action.default is None or action.default is False or action.default == argparse.SUPPRESS
    return "" if is_none else f"`{action.default}`"


def _first_line(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    # Angle brackets outside of code would be taken for HTML.
    safe = text.replace("|", "\\|")
    return safe if "`" in safe else safe.replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    REFERENCE.write_text(rewritten(REFERENCE.read_text()))
