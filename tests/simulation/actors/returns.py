"""
Be customers who bring something back with their receipt, and no palm: the right code or another one, in whole or in
part, twice, and at two counters at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.errors import HandselError
from handsel.flows.acquiring.refund_by_receipt import ByReceipt, refund_by_receipt
from handsel.flows.acquiring.request_refund import RefundRequest
from handsel.pay.merchant import Merchant
from handsel.pay.payment import PaymentIntent
from tests.simulation.asking import ask_acquirer
from tests.simulation.returns import Evidence

if TYPE_CHECKING:
    from tests.simulation.acquirer_party import AcquirerProcess
    from tests.simulation.world import World

WRONG, WHOLE, AT_ONCE = 0.15, 0.4, 0.3
UNKNOWN_CODE = "aaaa-bbbb-cccc-dddd-eeee"


def bring_back(world: World, acquirer: AcquirerProcess, merchant: Merchant, payment: PaymentIntent) -> None:
    """
    Bring one payment back, if its customer knows a code; sometimes two people ask for it at the same time.
    """
    rng, right = world.rng, world.return_code_of(payment.id)
    if right is None:
        return
    others = [code for code in list(world.codes.values())[-5:] if code != right]
    is_wrong = rng.random() < WRONG
    code = rng.choice([*others, UNKNOWN_CODE]) if is_wrong else right
    evidence = Evidence.WRONG_CODE if is_wrong else Evidence.CODE
    part = None if rng.random() < WHOLE else rng.randint(1, payment.received.amount_minor)
    if rng.random() < AT_ONCE:
        other = RefundRequest(world.new_id(), payment.id, part)
        world.schedule.start(
            world.people, lambda: pay_back(world, acquirer, merchant, other, code=code, evidence=evidence)
        )
    pay_back(world, acquirer, merchant, RefundRequest(world.new_id(), payment.id, part), code=code, evidence=evidence)


def pay_back(
    world: World,
    acquirer: AcquirerProcess,
    merchant: Merchant,
    request: RefundRequest,
    *,
    code: str,
    evidence: Evidence,
) -> None:
    """
    Ask for a refund by receipt, as the shop's page does.
    """

    def ask() -> ByReceipt:
        world.schedule.current().about = request.id
        return refund_by_receipt(acquirer.acquirer, merchant, request, return_code=code, now_ms=acquirer.clock())

    world.truth.returns.asks(request.id, request.payment_id, evidence)
    found = ask_acquirer(world, acquirer, "refund_by_receipt", ask)
    world.trace("by receipt", merchant.id, request.payment_id[:8], evidence.name, type(found).__name__)
    if isinstance(found, ByReceipt):
        world.truth.require(evidence is not Evidence.WRONG_CODE, "a refund is promised for a wrong code")
        world.truth.told_of_refund(request.id, found.refund.status.value)
        world.count(f"by_receipt_{found.refund.status.value}")
    elif isinstance(found, HandselError):
        world.count("by_receipt_refused")
