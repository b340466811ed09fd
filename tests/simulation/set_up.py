"""
Open wallets, enrol palms and set PINs by the real flows, before anything goes wrong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from handsel.envelope import seal
from handsel.flows.acquiring.carry_enrolment import ShownForEnrolment, submit_enrolment
from handsel.flows.acquiring.ports import Enrolled
from handsel.flows.issuing.consent import give_consent
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.enrolment_code import EnrolmentCode, give_enrolment_code
from handsel.flows.issuing.keep_passkey import add_passkey, offer_passkey
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.set_pin import set_pin
from handsel.matching.message import MATCHERS, TEMPLATE, PerMatcher, Query, Template
from handsel.order import ENROLMENT, EnrolmentOrder, bind, till_digest

if TYPE_CHECKING:
    from tests.simulation.world import World

WITH_PASSKEY = 2  # The palm whose owner has a passkey and no PIN.
PAUSED = 5  # The palm whose owner has paused it.


def pin_of(palm: int) -> str:
    """
    Return the PIN of the owner of a palm, if there is one.
    """
    return f"2580{palm:02}"


def enrol_customers(world: World, *, count: int) -> None:
    """
    Give the palms 0 to `count` - 1 a wallet each. All palms above stay strangers.
    """
    issuer = world.issuer.issuer
    for palm in range(count):
        wallet_id = open_wallet(issuer).wallet_id
        give_consent(issuer, wallet_id, version="1")
        given = give_enrolment_code(issuer, wallet_id)
        assert isinstance(given, EnrolmentCode)
        world.schedule.start(world.acquirers[0], lambda palm=palm, code=given.code: _enrol(world, palm, code))  # type: ignore[misc]
        world.schedule.run_until(world.schedule.now_ms + 1_000)
        deliver_orders(issuer, world.matchers)
        world.wallets[palm] = wallet_id
        if palm == WITH_PASSKEY:
            told = json.loads(offer_passkey(issuer, wallet_id))
            add_passkey(issuer, wallet_id, response=json.dumps(told))
        else:
            set_pin(issuer, wallet_id, typed=pin_of(palm))
        if palm == PAUSED:
            (palm_id,) = next(iter(world.issuer.disk.rows("SELECT id FROM palms WHERE wallet_id = ?", wallet_id)))
            pause_palm(issuer, wallet_id, palm_id=palm_id)
    assert len(world.matchers.committed) == count


def _enrol(world: World, palm: int, code: str) -> None:
    acquirer = world.acquirers[0]
    order = EnrolmentOrder(world.new_id(), code, till_digest(bytes(32), world.rng.randbytes(16)))
    name = b"palm-%d" % palm
    query = Query(world.rng.randbytes(16), bind(order), 1, name, name)
    template = Template(order.order_id, name, name, query)
    envelopes = (seal(template, to=world.parties.matchers[name].keys, purpose=TEMPLATE) for name in MATCHERS)
    sealed = seal(order, to=world.parties.issuer, purpose=ENROLMENT)
    shown = ShownForEnrolment(world.new_id(), order.order_id, sealed, PerMatcher(*envelopes))
    outcome = submit_enrolment(acquirer.acquirer, acquirer.shops[0][1], shown, now_ms=acquirer.clock())
    assert outcome == Enrolled(), outcome
