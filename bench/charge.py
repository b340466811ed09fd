"""
Measure a charge by notes, from a palm that was read until the till is PAID, without the match: `make bench-charge`.

    python -m bench.charge [--rate N] [--seconds S] [--json]

Issuer and acquirer are processes of their own, with their settings, databases and HTTP. Three matchers are played by
another, which opens envelopes and seals answers as they do, but compares words. Tills hold out palms at a steady rate,
whether the charge before is paid or not. A charge takes from the moment at which it was due: notes are prepared and
blinded, envelopes sealed, the journal written, the issuer's signatures finished and verified, the notes handed over.
Amounts are drawn from EUR 0.01 to 50.00.

The last line of the output is one JSON object. The exit status is 1 where a charge was not paid.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import msgspec
from bench.notes import AMOUNT_MINOR_MAX, machine, summary
from starlette.routing import Route
from tests.flows.acquiring.plain_matchers import PlainMatchers

from handsel.config import IssuerConfig, MatcherConfig, Parties, Secret, TillConfig, load_config, save_config
from handsel.envelope import seal
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.limits import AcquirerLimits
from handsel.log import Log
from handsel.matching.message import MATCHERS, QUERY, TEMPLATE, PerMatcher, Query, Template
from handsel.notes.announce import TrustedNoteKeys
from handsel.order import CHARGE, ENROLMENT, ChargeOrder, EnrolmentOrder, bind, till_digest
from handsel.return_code import draw_return_code, nonce_of, return_digest_of
from handsel.till.acquirer import ChargeRequest, EnrolmentRequest, PaidAnswer
from handsel.till.action import ChargeAction
from handsel.till.client import AcquirerClient, open_http
from handsel.till.journal import ChargeEntry, Journal
from handsel.till.make_request import prepare_notes
from handsel.till.settle import RESEND_MS_MAX, OpenCharge, settle
from handsel.web.app import bearer, build_app, post
from handsel.web.matcher_bodies import AnswerBody, ConfirmationBody, MatcherEnrolmentBody, OrderBody, QueryBody
from handsel.wiring.actors import Customer, Shop
from handsel.wiring.demo import UNHURRIED, Demo, Ports, free_ports, set_up
from handsel.wiring.paths import CONFIG_FILE, KEY_FILE
from handsel.wiring.serve import lifespan_of, private_files_only, serve, served_hosts, take_port
from handsel.wiring.supervisor import Member, Supervisor

RATE, SECONDS = 50, 20
VISITS = 2  # Of one customer, who has EUR 100.
TILLS = 32  # Of which each waits for one charge at a time.
QUERY_BYTES = 2 * 9 * 432  # Of nine views, as a matcher gets them.
GOAL_MS = {"p50": 40.0, "p99": 100.0}
READY_S_MAX = 30.0
SEED = 5


@dataclass(frozen=True)
class Due:
    """
    Name a charge: whose palm pays which payment, and when it is held out.
    """

    palm: bytes
    action: ChargeAction
    at_s: float


def main(argv: Sequence[str] | None = None) -> int:
    """
    Measure and print.
    """
    asked = parsed(argv)
    private_files_only()
    count, drawn = asked.rate * asked.seconds, random.Random(SEED)  # noqa: S311 – amounts, no secrets
    amounts = [drawn.randint(1, AMOUNT_MINOR_MAX) for _ in range(count)]
    with (
        tempfile.TemporaryDirectory(prefix="handsel-bench-") as directory,
        running(Path(directory)) as demo,
        closing(Street(demo)) as street,
    ):
        customers = -(-count // VISITS)
        if not asked.json:
            print(f"{customers} customers enrol, then {count} charges, {asked.rate} a second …", flush=True)
        palms = [street.enrol() for _ in range(customers)]
        took_ms = street.pay_all(palms, amounts, rate=asked.rate)
    paid = [each for each in took_ms if each is not None]
    figures = {"charges": count, "paid": len(paid), "rate_per_s": asked.rate, "goal_ms": GOAL_MS}
    print(json.dumps({**figures, "till_to_paid_ms": summary(paid or [0.0]), "machine": machine()}, allow_nan=False))
    return 0 if len(paid) == count else 1


class Street:
    """
    Be the tills of a shop and the people before them.
    """

    def __init__(self, demo: Demo) -> None:
        config = load_config(demo.directory / "till" / CONFIG_FILE, TillConfig, role="till")
        self._parties: Parties = config.parties
        self._till_key = PartyKeys.load(demo.directory / "till" / KEY_FILE).public().sign
        self._demo, self._here = demo, threading.local()
        self._acquirer, self._http = open_http(config.acquirer), httpx.Client(trust_env=False)
        self._client = AcquirerClient(
            self._acquirer, TrustedNoteKeys(config.note_root, demo.directory / "till" / "bench-keys.json")
        )

    def close(self) -> None:
        """
        Close the connections.
        """
        self._acquirer.close()
        self._http.close()

    def enrol(self) -> bytes:
        """
        Open a wallet with money in it, and return the palm that pays from it.
        """
        customer, palm = Customer(self._http, self._demo.issuer_api), os.urandom(QUERY_BYTES)
        order = EnrolmentOrder(new_id(), customer.prepare(), self._digest())
        query = Query(os.urandom(16), bind(order), 9, palm, b"")
        envelopes = self._each(Template(order.order_id, palm, b"", query), TEMPLATE)
        sealed = seal(order, to=self._parties.issuer, purpose=ENROLMENT)
        self._client.enrol(EnrolmentRequest(new_id(), order.order_id, sealed, envelopes))
        while customer.wallet().palms[0].state != "active":
            time.sleep(0.01)
        return palm

    def pay_all(self, palms: Sequence[bytes], amounts: Sequence[int], *, rate: int) -> list[float | None]:
        """
        Pay each amount, each palm `VISITS` times in turn, and return how long each charge took, or None.
        """
        shop = Shop(self._http, self._demo)
        actions = [ChargeAction(shop.ask(each), each, "EUR", "Corner Café", "") for each in amounts]
        begin_s = time.monotonic() + 1
        due = [Due(palms[n % len(palms)], action, begin_s + n / rate) for n, action in enumerate(actions)]
        with ThreadPoolExecutor(TILLS) as tills:
            return list(tills.map(self._pay, due))

    def _pay(self, due: Due) -> float | None:
        time.sleep(max(0.0, due.at_s - time.monotonic()))
        now_ms, journal, action = time.time_ns() // 1_000_000, self._journal(), due.action
        keys, amount_minor = self._client.note_keys(), action.amount_minor
        entry = ChargeEntry(new_id(), action, now_ms, (), return_code=draw_return_code(os.urandom))
        entry, notes = prepare_notes(entry, keys=keys, random_bytes=os.urandom)
        order = ChargeOrder(entry.order_id, amount_minor, "EUR", self._digest(), notes)
        sealed = seal(order, to=self._parties.issuer, purpose=CHARGE)
        queries = self._each(Query(os.urandom(16), bind(order), 9, due.palm, due.palm), QUERY)
        hashes = (return_digest_of(entry.return_code, charge_id=entry.charge_id), nonce_of(entry.return_code))
        request = ChargeRequest(entry.charge_id, entry.order_id, action.id, sealed, entry.secrets, *hashes, queries)
        journal.add(entry)
        outcome = settle(
            self._client,
            OpenCharge(entry, request, keys, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms),
            now_ms=now_ms,
        )
        took_ms = (time.monotonic() - due.at_s) * 1000
        journal.close(entry.charge_id)
        return took_ms if isinstance(outcome, PaidAnswer) else None

    def _journal(self) -> Journal:
        if not hasattr(self._here, "journal"):
            directory = self._demo.directory / "till" / f"till-{threading.get_ident()}"
            self._here.journal = Journal.open(directory / "journal.json")
        journal: Journal = self._here.journal
        return journal

    def _digest(self) -> bytes:
        return till_digest(self._till_key, os.urandom(16))

    def _each(self, message: msgspec.Struct, purpose: str) -> PerMatcher:
        return PerMatcher(*(seal(message, to=self._parties.matchers[name].keys, purpose=purpose) for name in MATCHERS))


@contextmanager
def running(directory: Path) -> Iterator[Demo]:
    """
    Lay a Handsel out in `directory` and run its issuer, its acquirer and matchers that are played.
    """
    ports = free_ports()
    demo = set_up(directory, ports, till_limits=UNHURRIED)
    path = directory / "issuer" / CONFIG_FILE
    config = load_config(path, IssuerConfig, role="issuer")
    path.unlink()
    save_config(path, msgspec.structs.replace(config, acquirer_limits=AcquirerLimits(answers_per_minute_max=100_000)))
    played = multiprocessing.get_context("spawn").Process(target=play_matchers, args=(directory, ports))
    played.start()
    supervisor = Supervisor(lambda _: None)
    try:
        for name, port in (("issuer", ports.issuer), ("acquirer", ports.acquirer)):
            home = directory / name
            command = (sys.executable, "-m", "handsel", name, "--config", str(home / CONFIG_FILE), "--stop-with-stdin")
            supervisor.start([Member(name, command, f"http://127.0.0.1:{port}/v1/health", home / "log.jsonl")])
        for name in MATCHERS:
            wait_for(ports.matcher(name))
        yield demo
    finally:
        supervisor.stop()
        played.terminate()
        played.join()


def wait_for(port: int) -> None:
    """
    Return once somebody listens on a port of this machine. Raises `OSError` where nobody does for `READY_S_MAX`.
    """
    until_s = time.monotonic() + READY_S_MAX
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)


def routes_of(name: str, plain: PlainMatchers, callers: Mapping[str, Secret]) -> list[Route]:
    """
    Return the routes of one matcher that is played.
    """
    known = bearer(callers)

    def answered(_: str, __: Mapping[str, str], body: QueryBody) -> AnswerBody:
        return AnswerBody(plain.answer_query(name, body.envelope))

    def enrolled(_: str, __: Mapping[str, str], body: MatcherEnrolmentBody) -> AnswerBody:
        return AnswerBody(plain.enrol(name, template=body.template, alias_share=body.alias_share))

    def ordered(_: str, __: Mapping[str, str], body: OrderBody) -> ConfirmationBody:
        signed = plain.carry_out(name, order=body.order, signature=body.signature)
        return ConfirmationBody(signed.confirmation, signed.signature)

    return [
        post("/v1/queries", known, QueryBody, answered),
        post("/v1/enrolments", known, MatcherEnrolmentBody, enrolled),
        post("/v1/orders", known, OrderBody, ordered),
    ]


def play_matchers(directory: Path, ports: Ports) -> None:
    """
    Serve what three matchers serve, from one process, until it is ended.
    """
    keys = {name: PartyKeys.load(directory / f"matcher-{name}" / KEY_FILE) for name in MATCHERS}
    configs = {
        name: load_config(directory / f"matcher-{name}" / CONFIG_FILE, MatcherConfig, role="matcher")
        for name in MATCHERS
    }
    plain = PlainMatchers(keys, configs["a"].parties.issuer)
    for name in MATCHERS:
        log, listener = Log("matcher", io.StringIO()), take_port("127.0.0.1", ports.matcher(name))
        routes = routes_of(name, plain, configs[name].callers)
        app = build_app(routes, log=log, hosts=served_hosts("127.0.0.1"), lifespan=lifespan_of((), log=log))
        threading.Thread(target=partial(serve, app, listener, stops_with_stdin=False)).start()


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """
    Return what was asked for.
    """
    parser = argparse.ArgumentParser(prog="bench.charge", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--rate", type=int, default=RATE, help="charges a second")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for how long")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    asked = parser.parse_args(argv)
    if not 1 <= asked.rate <= 1000 or not 1 <= asked.seconds <= 600:
        parser.error("the rate is 1 to 1000 a second, for 1 to 600 seconds")
    return asked


if __name__ == "__main__":
    sys.exit(main())
