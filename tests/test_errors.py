"""
The tree of exceptions: complete, drawn as it is, and each with a code of its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from handsel import errors
from handsel.cli.main import EXIT_STATUS
from handsel.errors import HandselError, InvariantBroken, ensure

RETRYABLE = {
    errors.GalleriesDiffer,
    errors.GalleryEmpty,
    errors.StoreFull,
    errors.Unavailable,
    errors.PartyUnavailable,
    errors.PeerUnavailable,
    errors.PeerCheated,
}


def every_error(root: type[HandselError] = HandselError) -> Iterator[type[HandselError]]:
    """
    Yield `root` and all that descends from it, as `errors.py` declares them.
    """
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from every_error(child)


def test_every_exception_of_the_module_descends_from_the_root() -> None:
    declared = {found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Exception)}

    assert declared == set(every_error())


def test_no_other_module_declares_an_exception() -> None:
    outside = [found for found in HandselError.__subclasses__() if found.__module__ != errors.__name__]

    assert outside == []


def test_codes_are_unique_and_in_snake_case() -> None:
    codes = [kind.code for kind in every_error()]

    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_every_class_declares_its_own_code() -> None:
    assert [kind for kind in every_error() if "code" not in vars(kind)] == []


def test_only_what_may_pass_is_retryable() -> None:
    assert {kind for kind in every_error() if kind.is_retryable} == RETRYABLE


def test_the_drawn_tree_is_the_real_tree() -> None:
    drawn = dict(_drawn_parents(inspect.getdoc(errors) or ""))

    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in every_error() if kind is not HandselError}


def test_the_exit_table_names_every_class_and_no_status_means_success() -> None:
    assert set(every_error()) == set(EXIT_STATUS)
    assert 0 not in EXIT_STATUS.values()


def test_ensure_passes_what_holds() -> None:
    ensure(True, "one is one")


def test_ensure_crashes_where_a_rule_is_broken() -> None:
    with pytest.raises(InvariantBroken, match="entries sum to zero"):
        ensure(False, "entries sum to zero")


def _drawn_parents(text: str) -> Iterator[tuple[str, str]]:
    path = ["HandselError"]
    for line in text.splitlines():
        found = re.search(r"[├└]── (\w+)", line)
        if found:
            depth = (found.start() - len(line) + len(line.lstrip())) // 4  # Each level is four columns wide.
            path = [*path[: depth + 1], found.group(1)]
            yield found.group(1), path[-2]


def test_every_code_that_comes_over_the_wire_leads_to_its_class() -> None:
    """
    What another party refused with arrives as the same exception; a code of another version as none.
    """
    assert errors.error_of_code("store_full") is errors.StoreFull
    assert errors.error_of_code("error") is errors.HandselError
    assert errors.error_of_code("of_another_version") is None
