"""
Hold the body that several routes share: none.
"""

from __future__ import annotations

import msgspec


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Be the body of a request that says nothing more than its address.
    """
