"""
Ask another party over HTTP: one link, one bearer token, one bound on time and one on size.

What the other party refuses arrives as the same exception that it raised; what the network does to a request does not
get past this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from handsel.config import Link
from handsel.errors import AccessDenied, ConfigError, HandselError, PartyUnavailable, error_of_code
from handsel.matching.message import MATCHERS
from handsel.web.errors import ErrorBody, ErrorDetail

CONNECT_TIMEOUT_S = 2.0
KEPT_OPEN_S = 2.0  # Less than the 5 s after which the server closes an idle connection: no request meets a closing one.
CONNECTIONS_MAX = 64
ANSWER_BYTES_MAX = 4 << 20
MESSAGE_CHARS_MAX = 200
SERVER_FAILED = 500

T = TypeVar("T")


@dataclass(frozen=True)
class Lost:
    """
    Say that a request may have arrived, and that its answer is not known.
    """


class PartyLink:
    """
    Hold the connections to one other party, called `party` in messages. Several threads may use it.
    """

    def __init__(self, link: Link | str, *, party: str, timeout_s: float) -> None:
        """
        Prepare connections. An address alone is for what a party shows to everybody: no token goes there.

        Raises `ConfigError` for what is no address.
        """
        url = link if isinstance(link, str) else link.url
        self._party = party
        self._timeout_s = timeout_s
        try:
            self._client = httpx.Client(
                base_url=url,
                headers={} if isinstance(link, str) else {"Authorization": f"Bearer {link.token.reveal()}"},
                timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
                limits=httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=KEPT_OPEN_S),
                trust_env=False,
            )
        except httpx.InvalidURL as exc:
            raise ConfigError(f"the address of {party} is none: it is https:// and a host name") from exc

    def get(self, path: str, decoder: msgspec.json.Decoder[T]) -> T:
        """
        Return what is at `path`. Raises `PartyUnavailable`, or what the other party refused with.
        """
        answer: T | Lost = self._ask("GET", path, b"", decoder)
        return self._certain(answer)

    def post(self, path: str, body: msgspec.Struct, decoder: msgspec.json.Decoder[T]) -> T:
        """
        Return the answer to `body`, which may be sent again. Raises `PartyUnavailable`, or what was refused with.
        """
        answer: T | Lost = self.post_once(path, body, decoder)
        return self._certain(answer)

    def post_once(self, path: str, body: msgspec.Struct, decoder: msgspec.json.Decoder[T]) -> T | Lost:
        """
        Return the answer to `body`, or `Lost` where it may have been acted on.

        Raises `PartyUnavailable` only where nothing was sent, and otherwise what the other party refused with.
        """
        return self._ask("POST", path, msgspec.json.encode(body), decoder)

    def close(self) -> None:
        """
        Close the connections.
        """
        self._client.close()

    def _certain(self, answer: T | Lost) -> T:
        if isinstance(answer, Lost):
            raise PartyUnavailable(f"{self._party} does not answer: ask again")
        return answer

    def _ask(self, method: str, path: str, content: bytes, decoder: msgspec.json.Decoder[T]) -> T | Lost:
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            with self._client.stream(method, path, content=content, headers=headers) as response:
                raw = _read(response, until_s=time.monotonic() + self._timeout_s)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise PartyUnavailable(f"{self._party} cannot be reached: ask again") from exc
        except httpx.HTTPError:
            return Lost()
        return self._understand(response.status_code, raw, decoder)

    def _understand(self, status: int, raw: bytes | None, decoder: msgspec.json.Decoder[T]) -> T | Lost:
        if raw is None:
            return Lost()
        try:
            if status == httpx.codes.OK:
                return decoder.decode(raw)
            refusal = msgspec.json.decode(raw, type=ErrorBody).error
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Lost()
        if status >= SERVER_FAILED:
            return Lost()
        raise self._refused(refusal)

    def _refused(self, refusal: ErrorDetail) -> HandselError:
        kind = error_of_code(refusal.code) or PartyUnavailable
        if kind is AccessDenied:
            # Our own caller did nothing wrong, so it must not be told that its token is.
            return ConfigError(f"{self._party} does not accept our link token: compare the settings of both")
        return kind(refusal.message[:MESSAGE_CHARS_MAX])


def link_matchers(links: Mapping[str, Link], *, timeout_s: float) -> dict[str, PartyLink]:
    """
    Return the connections to the three matchers, by name. Raises `ConfigError` unless it is just these three.
    """
    if sorted(links) != sorted(MATCHERS):
        raise ConfigError("there are three matchers: a, b and c")
    return {name: PartyLink(link, party=f"matcher {name}", timeout_s=timeout_s) for name, link in links.items()}


def _read(response: httpx.Response, *, until_s: float) -> bytes | None:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX or time.monotonic() > until_s:
            return None
    return bytes(content)
