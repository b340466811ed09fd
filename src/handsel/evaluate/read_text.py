"""
Read a list that a person wrote beside pictures, under a bound, or say why it cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from handsel.errors import BadInput

TEXT_BYTES_MAX = 8 * 2**20


def read_text(path: Path) -> str:
    """
    Return the text of `path`, UTF-8 with or without a mark at its start. Raises `BadInput`.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{path} cannot be read: {exc.strerror}") from exc
    if len(content) > TEXT_BYTES_MAX:
        raise BadInput(f"{path.name} has more than {TEXT_BYTES_MAX} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadInput(f"{path.name} is not text in UTF-8") from exc
