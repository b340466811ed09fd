"""
Hand a file out that a person keeps: JSON that is easy to read, and that no cache keeps.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response


def json_file(content: msgspec.Struct, name: str) -> Response:
    """
    Return `content` as a file of that name.
    """
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(msgspec.json.format(msgspec.json.encode(content)), headers=headers, media_type="application/json")
