"""
Make and find the references by which a transfer says what it is for: ISO 11649, with check digits.

A reference is random. It tells whoever reads it, bank or sender, neither a wallet nor a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum.iso7064 import mod_97_10

from handsel.errors import BodyInvalid

RANDOM_BYTES = 8  # 60 of these 64 bits are used: nobody hits another's by accident.
_CHARS = 12
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Without I, L, O and U, which are misread.
_FORM = re.compile(r"RF[0-9]{2}[0-9A-Z]{12}")
_LOOKS_LIKE_ONE = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
_TYPED_CHARS_MAX = 64


def new_reference(random_bytes: Callable[[int], bytes]) -> str:
    """
    Return a fresh reference: `RF`, two check digits and twelve characters.
    """
    number = int.from_bytes(random_bytes(RANDOM_BYTES), "big")
    body = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(_CHARS))
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def parse_reference(typed: str) -> str:
    """
    Return the reference that a person typed: spaces and small letters do not matter. Raises `BodyInvalid`.
    """
    text = _squeezed(typed) if len(typed) <= _TYPED_CHARS_MAX else ""
    if not _is_one(text):
        raise BodyInvalid("this is no reference: it begins with RF, and its check digits must be right")
    return text


def find_reference(text: str) -> str | None:
    """
    Return the one reference of ours that stands in what a sender wrote, however it is spaced, or None.

    Two different ones are none: nobody can say which was meant.
    """
    found = {match[0] for match in _everywhere(_FORM, _squeezed(text)) if _is_one(match[0])}
    return found.pop() if len(found) == 1 else None


def looks_like_reference(text: str) -> bool:
    """
    Return whether a sender tried to write a reference.
    """
    return _LOOKS_LIKE_ONE.search(_squeezed(text)) is not None


def _everywhere(form: re.Pattern[str], text: str) -> list[re.Match[str]]:
    # Also where one begins within another: the letters before it may be part of a word.
    return [found for at in range(len(text)) if text.startswith("RF", at) and (found := form.match(text, at))]


def _is_one(text: str) -> bool:
    return bool(_FORM.fullmatch(text)) and mod_97_10.is_valid(text[4:] + text[:4])


def _squeezed(text: str) -> str:
    return "".join(text.split()).upper()
