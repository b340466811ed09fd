"""
Hold the settings of another party whose heads are watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from handsel.errors import ConfigError
from handsel.keys import KEY_BYTES


class WatchedParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Say where another party shows its heads to everybody, and with which tree key it signs them.
    """

    url: str
    tree_key: bytes

    def __post_init__(self) -> None:
        """
        Refuse what is no address, and a key of a wrong length. Raises `ConfigError`.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError("the url of a watched party begins with https:// or http://")
        if len(self.tree_key) != KEY_BYTES:
            raise ConfigError(f"a tree_key has {KEY_BYTES} bytes: copy the key in the party's tree.pub")


def require_watchable(watched: Mapping[str, WatchedParty], names: Iterable[str]) -> None:
    """
    Refuse to watch anybody but the parties of those names. Raises `ConfigError`.
    """
    strangers = sorted(set(watched) - set(names))
    if strangers:
        raise ConfigError(f"[watched] names {', '.join(strangers)}, with whom there are no dealings")
