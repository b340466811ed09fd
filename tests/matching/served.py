"""
Serve one matcher in a process of its own, for the tests that kill one.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from handsel.clock import system_clock
from handsel.errors import HandselError
from handsel.keys import PartyKeys, PublicKeys
from handsel.log import Log
from handsel.matching.matcher import Matcher
from handsel.matching.settings import Match, Party


def serve(
    name: str, root: Path, settings: Match, issuer: PublicKeys, parties: dict[str, Party], pipe: Connection
) -> None:
    """
    Answer what comes through the pipe, a name of a method and its arguments, until it is empty.
    """
    with (root / f"{name}.log").open("a") as stream:
        matcher = Matcher(
            name,
            keys=PartyKeys.load(root / f"{name}.keys"),
            issuer=issuer,
            parties=parties,
            directory=root / name,
            settings=settings,
            clock=system_clock,
            log=Log(f"matcher-{name}", stream),
        )
        matcher.start()
        pipe.send("ready")
        while asked := pipe.recv():
            method, arguments = asked
            try:
                pipe.send(getattr(matcher, method)(*arguments))
            except HandselError as exc:
                pipe.send(exc)
        matcher.close()
