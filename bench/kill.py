"""
Kill issuer and acquirer again and again while tills charge, and count what was acknowledged and is lost.

    .venv/bin/python bench/kill.py --kills 20 --seed 1

Both are real processes with real files and HTTP between them; a supervisor starts each again. Customers pay with a held
key, so that no matcher is needed. What a till was told is paid must be paid in the end, and nothing else may be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import msgspec

from handsel.clock import system_clock
from handsel.config import TillConfig, load_config
from handsel.envelope import seal
from handsel.errors import HandselError
from handsel.ids import new_id
from handsel.keys import PartyKeys
from handsel.notes.announce import TrustedNoteKeys
from handsel.order import CARD_ENROLMENT, TEMPLATE_BYTES, CardOrder, ChargeOrder
from handsel.return_code import draw_return_code
from handsel.store import ledger
from handsel.store.acquirer import AcquirerDatabase
from handsel.store.issuer import open_issuer_database
from handsel.till.acquirer import EnrolledAnswer, EnrolmentRequest, PaidAnswer
from handsel.till.action import ChargeAction
from handsel.till.card import Card
from handsel.till.client import AcquirerClient, open_http
from handsel.till.journal import ChargeEntry
from handsel.till.make_request import prepare_notes
from handsel.till.seal_palm import PalmSealer
from handsel.till.settle import RESEND_MS_MAX, OpenCharge, Waiting, ask_again_later, settle
from handsel.wiring.actors import Anything, Customer, Party
from handsel.wiring.actors import open_http as open_people
from handsel.wiring.demo import UNHURRIED, Demo, Ports, free_ports, set_up
from handsel.wiring.paths import CONFIG_FILE, DATABASE_FILE, KEY_FILE
from handsel.wiring.supervisor import STEADY_S, Member, Supervisor

CUSTOMERS = 4
AMOUNT_MINOR_MAX = 60
KILLED = ("issuer", "acquirer")
PAUSE_S = STEADY_S / 2  # At least. Each is killed every other time, and has run steadily by then.
SERVING_S_MAX = 5.0
END_S_MAX = 60.0
WATCH_S = 0.02


@dataclass
class Told:
    """
    Collect what tills were told, and what went wrong.
    """

    paid: set[str] = field(default_factory=set)
    asked: int = 0
    back_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    is_over: bool = False


@dataclass(frozen=True)
class Counter:
    """
    Be a till at which one customer pays again and again with a card.
    """

    demo: Demo
    till: TillConfig
    client: AcquirerClient
    sealer: PalmSealer
    card: Card
    rng: random.Random

    def run(self, told: Told) -> None:
        """
        Pay until it is over. What is under way then is brought to its end.
        """
        with open_people() as http, contextlib.closing(self.client.http):
            shop = Party(http, self.demo.acquirer_api, self.demo.merchant_key.reveal())
            while not told.is_over:
                payment_id, amount_minor = new_id(), self.rng.randint(1, AMOUNT_MINOR_MAX)
                body = {"id": payment_id, "amount": amount_minor, "currency": "eur", "description": "Coffee"}
                if not _insist(partial(shop.post, "/v1/payment_intents", body, Anything)):
                    told.failures.append("a payment could not be asked for")
                    return
                told.asked += 1
                self._charge(payment_id, amount_minor, told)

    def _charge(self, payment_id: str, amount_minor: int, told: Told) -> None:
        made: list[OpenCharge] = []
        if not _insist(lambda: made.append(self._open(payment_id, amount_minor))):
            told.failures.append("the note keys could not be fetched")
            return
        charge: OpenCharge = made[0]
        until_s = time.monotonic() + END_S_MAX
        while time.monotonic() < until_s:
            outcome = settle(self.client, charge, now_ms=system_clock())
            if isinstance(outcome, PaidAnswer):
                told.paid.add(payment_id)
            if not isinstance(outcome, Waiting):
                return
            later = ask_again_later(charge, now_ms=system_clock())
            if isinstance(later, OpenCharge):
                charge = later
            time.sleep(max(0.0, (charge.next_ms - system_clock()) / 1000))
        told.failures.append("a charge has no end")

    def _open(self, payment_id: str, amount_minor: int) -> OpenCharge:
        keys, now_ms = self.client.note_keys(), system_clock()
        action = ChargeAction(payment_id, amount_minor, "EUR", "Shop", "Coffee")
        entry = ChargeEntry(new_id(), action, now_ms, (), return_code=draw_return_code(os.urandom))
        entry, notes = prepare_notes(entry, keys=keys, random_bytes=os.urandom)
        order = ChargeOrder(entry.order_id, amount_minor, "EUR", self.sealer.fresh_digest(), notes)
        request = self.sealer.seal_held_charge(order, entry=entry, card=self.card)
        return OpenCharge(entry, request, keys, until_ms=now_ms + RESEND_MS_MAX, next_ms=now_ms)


@dataclass(frozen=True)
class Found:
    """
    Say what stands in the books in the end.
    """

    succeeded: frozenset[str]
    processing: int
    debited_minor: int
    credited_minor: int


def main() -> int:
    """
    Print what was acknowledged, what is lost, and how long nobody served.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="handsel-kill-") as directory:
        rng = random.Random(wanted.seed)  # noqa: S311
        told, found = run(Path(directory), kills=wanted.kills, pause_s=PAUSE_S, rng=rng, say=print)
    lost = told.paid - found.succeeded
    print(f"{told.asked} payments asked for, {len(told.paid)} acknowledged, {len(found.succeeded)} in the books")
    print(f"{len(lost)} acknowledged payments lost; {found.processing} without an end")
    print(f"debited {found.debited_minor}, credited to the shop {found.credited_minor}")
    print(f"{len(told.back_s)} kills: serving again after {max(told.back_s):.1f} s at most")
    for failure in told.failures:
        print(f"  {failure}")
    return 0 if is_sound(told, found) and max(told.back_s) <= SERVING_S_MAX else 1


def is_sound(told: Told, found: Found) -> bool:
    """
    Return whether nothing was lost, nothing doubled, and nothing is open.
    """
    is_whole = told.paid <= found.succeeded and found.debited_minor == found.credited_minor
    return is_whole and not found.processing and not told.failures


def run(
    directory: Path, *, kills: int, pause_s: float, rng: random.Random, say: Callable[[str], object]
) -> tuple[Told, Found]:
    """
    Kill one process after another under load, let everything come to its end, and look into the books.
    """
    ports, told = free_ports(), Told()
    demo = set_up(directory, ports, till_limits=UNHURRIED)
    with _started(demo, ports) as supervisor:
        counters = [_counter(demo, random.Random(rng.random())) for _ in range(CUSTOMERS)]  # noqa: S311
        threads = [threading.Thread(target=counter.run, args=(told,)) for counter in counters]
        for thread in threads:
            thread.start()
        try:
            for number in range(kills):
                _watch(supervisor, rng.uniform(pause_s, 1.4 * pause_s))
                told.back_s.append(_kill(supervisor, KILLED[number % len(KILLED)]))
                say(f"  {KILLED[number % len(KILLED)]} killed; serving again after {told.back_s[-1]:.1f} s")
        finally:
            told.is_over = True
            for thread in threads:
                thread.join()
    return told, _look(directory)


def _kill(supervisor: Supervisor, name: str) -> float:
    """
    Kill a process, let the supervisor start it again, and return after how many seconds it serves.
    """
    began_s = time.monotonic()
    os.kill(supervisor.process_id(name), signal.SIGKILL)
    killed = supervisor.process_id(name)
    while supervisor.process_id(name) == killed:
        supervisor.watch()
        time.sleep(WATCH_S)
    return time.monotonic() - began_s


def _watch(supervisor: Supervisor, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        supervisor.watch()
        time.sleep(WATCH_S)


@contextlib.contextmanager
def _started(demo: Demo, ports: Ports) -> Iterator[Supervisor]:
    supervisor = Supervisor(lambda _: None)
    try:
        for name, port in (("issuer", ports.issuer), ("acquirer", ports.acquirer)):
            home = demo.directory / name
            command = (sys.executable, "-m", "handsel", name, "--config", str(home / CONFIG_FILE), "--stop-with-stdin")
            supervisor.start([Member(name, command, f"http://127.0.0.1:{port}/v1/health", home / "log.jsonl")])
        yield supervisor
    finally:
        supervisor.stop()


def _counter(demo: Demo, rng: random.Random) -> Counter:
    """
    Open a wallet, enrol a card, and stand at the till.
    """
    home = demo.directory / "till"
    till = load_config(home / CONFIG_FILE, TillConfig, role="till")
    keys_path = demo.directory / "till" / f"note-keys-{new_id()}.json"
    client = AcquirerClient(open_http(till.acquirer), TrustedNoteKeys(till.note_root, keys_path))
    sealer = PalmSealer(till.parties, PartyKeys.load(home / KEY_FILE).public().sign, os.urandom)
    card = Card.draw(os.urandom)
    with open_people() as http:
        code = Customer(http, demo.issuer_api).prepare_card()
    template = card.seal_template(bytes(TEMPLATE_BYTES), model_id="bench")
    order = CardOrder(new_id(), code, card.id, card.public_key, template)
    sealed = seal(order, to=till.parties.issuer, purpose=CARD_ENROLMENT)
    answer = client.enrol(EnrolmentRequest(new_id(), order.order_id, sealed))
    if not isinstance(answer, EnrolledAnswer):
        raise SystemExit("a card could not be enrolled")
    return Counter(demo, till, client, sealer, card, rng)


def _insist(act: Callable[[], object]) -> bool:
    """
    Do something again until it is done, as a shop's software does: the id is the same each time.
    """
    until_s = time.monotonic() + END_S_MAX
    while time.monotonic() < until_s:
        try:
            act()
            return True
        except (HandselError, httpx.HTTPError, msgspec.MsgspecError):
            time.sleep(0.2)
    return False


def _look(directory: Path) -> Found:
    """
    Audit both ledgers, and read who was debited and who is paid.
    """
    issuer = open_issuer_database(directory / "issuer" / DATABASE_FILE)
    acquirer = AcquirerDatabase.open(directory / "acquirer" / DATABASE_FILE)
    with issuer.unit_of_work() as uow:
        ledger.audit(uow)
        rows = uow.rows("SELECT COALESCE(SUM(amount_minor), 0) FROM charges WHERE state = 'approved'")
        debited_minor = int(rows[0][0])
    with acquirer.unit_of_work() as books:
        books.audit()
        credited_minor = books.balance_minor("merchant:corner-cafe:EUR")
    issuer.close()
    acquirer.close()
    with contextlib.closing(sqlite3.connect(directory / "acquirer" / DATABASE_FILE)) as connection:
        found: dict[str, str] = dict(connection.execute("SELECT id, status FROM payments"))
    return Found(
        frozenset(payment_id for payment_id, status in found.items() if status == "succeeded"),
        sum(status == "processing" for status in found.values()),
        debited_minor,
        credited_minor,
    )


if __name__ == "__main__":
    sys.exit(main())
