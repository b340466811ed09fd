"""
Hold the rules of the house that a program can check: each takes a file and yields what it finds.

A rule knows nothing of where its files come from; `test_tidy.py` hands them over, and plants a violation of each.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 400
FILE_BYTES_MAX = 12_000_000
PICTURE_BYTES_MAX = 32_768  # An icon is smaller, a photograph is not.
PICTURES = PurePosixPath("docs/images")

BANNED_WORDS = frozenset(
    {"util", "utils", "helper", "helpers", "common", "base", "core", "manager", "data", "info", "process", "handle"}
)
ALLOWED_NAMES = frozenset({"process_id"})  # The operating system's own word.

# Calls that reach out of the process, or change it, and so have no place at import.
REACHING_CALLS = frozenset(
    {
        *("open", "print", "input", "exec", "eval", "connect", "urlopen", "mkdir", "makedirs", "unlink", "umask"),
        *("read_text", "read_bytes", "write_text", "write_bytes", "socket", "create_connection", "bind", "listen"),
        *("Popen", "run", "check_output", "system", "start", "sleep", "seed", "basicConfig", "putenv", "setNumThreads"),
        *("load_config", "save_config", "read_private_file", "write_private_file", "load_model", "imread", "load"),
    }
)

# Three X alone are a currency code of ISO 4217; as a mark they begin a comment, or end with a colon.
_LEFT_OVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|Not" + r"ImplementedError|X{3}(?=:))\b|# ?X{3}\b")
_IGNORED_TYPE = re.compile(r"#\s*(?:type|mypy):\s*ignore")
_NAME_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_FOREIGN_ADDRESS = re.compile(r"https?:(?!//www\.w3\.org/)//\S+|@import|src=[\"']//")
_REGISTRY = re.compile(
    r"(?:^|[^\w-])(?:[\w.-]+\.)?(?:pypi\.(?:org|python)|pythonhosted|npmjs|yarnpkg)\b"
    r"|(?:artifactory|jfrog|devpi)\b|--?(?:extra-)?index-url|--find-links|/simple/"
)
_MACHINE_PATH = re.compile(r"(?<![\w.}*])/(?:work|root|tmp|home/\w+|Users/\w+)(?:/|\b)")
_REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][\w.+!]*(?: ?; ?[^#]+?)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_FRAGMENT_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\.(?:added|changed|fixed|removed|security)\.md")
_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_FILM_SUFFIXES = frozenset({".mjpeg", ".mp4", ".webm", ".mov", ".avi", ".heic", ".heif"})
_CAMERA_MARKS = (b"Exif\0\0", b"eXIf")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class File:
    """
    Hold one file: its path within the repository, and its bytes.
    """

    path: PurePosixPath
    content: bytes

    @property
    def text(self) -> str:
        """
        Return the contents as text, or nothing where they are not text.
        """
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return ""

    def tree(self) -> ast.Module:
        """
        Return the syntax tree of a Python file.
        """
        return ast.parse(self.text)

    def found(self, line: int, what: str) -> str:
        """
        Return one finding, in the form in which editors jump to it.
        """
        return f"{self.path}:{line}: {what}"


def function_length(file: File) -> Iterator[str]:
    """
    Find functions of more than fifty lines.
    """
    for node in ast.walk(file.tree()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield file.found(node.lineno, f"{node.name} has {lines} lines; {FUNCTION_LINES_MAX} are allowed")


def file_length(file: File) -> Iterator[str]:
    """
    Find files of more than four hundred lines.
    """
    lines = len(file.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield file.found(lines, f"the file has {lines} lines; {FILE_LINES_MAX} are allowed")


def banned_names(file: File) -> Iterator[str]:
    """
    Find modules, functions and classes whose names say nothing.
    """
    for part in (*file.path.parent.parts, file.path.stem):
        if BANNED_WORDS & set(_words(part)):
            yield file.found(1, f"{part} is no name for a module: say what it holds")
    for node in ast.walk(file.tree()):
        if isinstance(node, Definition) and node.name not in ALLOWED_NAMES:
            for word in sorted(BANNED_WORDS & set(_words(node.name))):
                yield file.found(node.lineno, f"{node.name}: '{word}' says nothing")


def missing_docstrings(file: File) -> Iterator[str]:
    """
    Find public modules, classes and functions without a docstring. An empty file needs none.
    """
    tree = file.tree()
    if tree.body and ast.get_docstring(tree) is None:
        yield file.found(1, "the module has no docstring")
    for node in _public(tree):
        if ast.get_docstring(node) is None:
            yield file.found(node.lineno, f"{node.name} has no docstring")


def docstring_form(file: File) -> Iterator[str]:
    """
    Find docstrings whose quotes are not on lines of their own, or that do not begin with a full sentence.
    """
    for node in ast.walk(file.tree()):
        if not isinstance(node, ast.Module | Definition):
            continue
        raw = ast.get_docstring(node, clean=False)
        if raw is None:
            continue
        line = node.body[0].lineno
        if not raw.startswith("\n") or raw.rstrip(" ")[-1:] != "\n":
            yield file.found(line, "the quotes of a docstring stand on lines of their own")
        first = " ".join(raw.strip().split("\n\n")[0].split())
        if not first.endswith(".") or not (first[0].isupper() or first[0] in "`0123456789"):
            yield file.found(line, "a docstring begins with a full sentence, which ends with a full stop")


def left_over(file: File) -> Iterator[str]:
    """
    Find marks of work that was left for later.
    """
    for number, line in enumerate(file.text.splitlines(), 1):
        mark = _LEFT_OVER.search(line)
        if mark:
            yield file.found(number, f"{mark.group()}: do it now, or open an issue")


def ignored_types(file: File) -> Iterator[str]:
    """
    Find lines that the type checker is told to skip.
    """
    for number, line in enumerate(file.text.splitlines(), 1):
        if _IGNORED_TYPE.search(line):
            yield file.found(number, "give it a type instead of an exemption")


def assertions(file: File) -> Iterator[str]:
    """
    Find `assert`, which `python -O` removes.
    """
    for node in ast.walk(file.tree()):
        if isinstance(node, ast.Assert):
            yield file.found(node.lineno, "assert vanishes with -O: use ensure()")


def prints(file: File) -> Iterator[str]:
    """
    Find `print` outside the command line.
    """
    if "cli" in file.path.parts:
        return
    for node in ast.walk(file.tree()):
        if isinstance(node, ast.Call) and _called(node) == "print":
            yield file.found(node.lineno, "only handsel.cli prints")


def star_imports(file: File) -> Iterator[str]:
    """
    Find `from … import *`.
    """
    for node in ast.walk(file.tree()):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield file.found(node.lineno, "name what is imported")


def commented_out_code(file: File) -> Iterator[str]:
    """
    Find comments, on lines of their own, that are code.

    LIMITATIONS: A formula that happens to be an assignment is found, too; write it as a sentence. A commented-out
    fragment that does not parse by itself is not found.
    """
    for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
        is_alone = token.line.lstrip().startswith("#")
        if token.type == tokenize.COMMENT and is_alone and _is_code(token.string.lstrip("#").strip()):
            yield file.found(token.start[0], "this comment is code: delete it, or say it in words")


def work_at_import(file: File) -> Iterator[str]:
    """
    Find calls that open, start, print or change something while a module is being imported.

    LIMITATIONS: A call is known by its last name alone; what a called function does in turn is not followed.
    """
    for node in _at_import(file.tree().body):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield file.found(node.lineno, "a call at import, made for its effect: make it where it is needed")
        elif isinstance(node, ast.Call) and _called(node) in REACHING_CALLS:
            yield file.found(node.lineno, f"{_called(node)}() at import: call it where it is needed")
        elif isinstance(node, ast.Assign) and any("environ" in ast.unparse(target) for target in node.targets):
            yield file.found(node.lineno, "the environment is changed at import")


def registries_and_machine_paths(file: File) -> Iterator[str]:
    """
    Find the address of a package registry, or a path of somebody's machine.
    """
    for number, line in enumerate(file.text.splitlines(), 1):
        for pattern in (_REGISTRY, _MACHINE_PATH):
            mark = pattern.search(line)
            if mark:
                yield file.found(number, f"{mark.group().strip()} holds on one machine only")


def foreign_addresses(file: File) -> Iterator[str]:
    """
    Find addresses of other sites in what a browser is sent.
    """
    for number, line in enumerate(file.text.splitlines(), 1):
        if _FOREIGN_ADDRESS.search(line):
            yield file.found(number, "a page loads nothing from elsewhere and names no other site")


def unlocked_requirements(file: File) -> Iterator[str]:
    """
    Find lines of a lock file that are not a pinned version with its hashes.
    """
    logical = re.sub(r"\\\n\s*", " ", file.text)
    for number, line in enumerate(logical.splitlines(), 1):
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        hashes = _HASH.findall(text)
        name = _HASH.sub("", text).strip()
        if not _REQUIREMENT.fullmatch(name):
            yield file.found(number, f"{name} is not a pinned version")
        if not hashes:
            yield file.found(number, f"{name} has no hash")


def changelog_fragment(file: File) -> Iterator[str]:
    """
    Find fragments of the changelog that are ill-named, or are not full sentences.
    """
    if file.path.name == "README.md":
        return
    if not _FRAGMENT_NAME.fullmatch(file.path.name):
        yield file.found(1, "a fragment is called <what>.<added|changed|fixed|removed|security>.md")
    text = file.text.strip()
    if not text or not text[0].isupper() or not text.endswith("."):
        yield file.found(1, "a fragment is a full sentence")
    if text.startswith("#") or any(len(line) > 120 for line in text.splitlines()):
        yield file.found(1, "a fragment has no heading and lines of at most 120 characters")


def large_file(file: File) -> Iterator[str]:
    """
    Find files that are too large to live in the repository.
    """
    if len(file.content) >= FILE_BYTES_MAX:
        yield file.found(1, f"the file has {len(file.content)} bytes; fewer than {FILE_BYTES_MAX} are allowed")


def photograph(file: File) -> Iterator[str]:
    """
    Find pictures that may be photographs: large ones outside docs/images, films, and whatever a camera signed.
    """
    if file.path.suffix.lower() in _FILM_SUFFIXES:
        yield file.found(1, "films and camera formats are not committed")
    is_picture = file.content.startswith(_PICTURE_STARTS) or file.content[8:12] == b"WEBP"
    if not is_picture:
        return
    if any(mark in file.content[:FILE_BYTES_MAX] for mark in _CAMERA_MARKS):
        yield file.found(1, "the picture carries a camera's marks (Exif)")
    if len(file.content) > PICTURE_BYTES_MAX and not file.path.is_relative_to(PICTURES):
        yield file.found(1, f"a picture of more than {PICTURE_BYTES_MAX} bytes lies outside {PICTURES}")


def _words(name: str) -> list[str]:
    return [part.lower() for part in _NAME_PART.findall(name)]


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    for child in node.body:
        if not isinstance(child, Definition) or child.name.startswith("_"):
            continue
        if isinstance(child, ast.FunctionDef) and any("overload" in ast.unparse(d) for d in child.decorator_list):
            continue
        yield child
        if isinstance(child, ast.ClassDef):
            yield from _public(child)


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_code(comment: str) -> bool:
    if not re.search(r"[=(\[]|^(?:import|from) ", comment):
        return False
    try:
        statements = ast.parse(comment + " pass" if comment.endswith(":") else comment).body
    except (SyntaxError, ValueError):
        return False
    return any(
        not isinstance(node, ast.Expr | ast.AnnAssign)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await | ast.Yield))
        or (isinstance(node, ast.AnnAssign) and node.value is not None)
        for node in statements
    )


def _at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            continue
        if isinstance(statement, ast.ClassDef):
            yield from _at_import(statement.body)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            # A decorator and a default are evaluated at import; a body is not.
            for part in (*statement.decorator_list, *statement.args.defaults, *statement.args.kw_defaults):
                yield from _unless_deferred(part) if part is not None else ()
        else:
            yield from _unless_deferred(statement)


def _unless_deferred(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _unless_deferred(child)
