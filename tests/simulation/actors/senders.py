"""
Be the owners of wallets at their own banks: they send money, with the right reference, a wrong one or none, and have
money collected by direct debit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handsel.bank.booking import Difference
from handsel.bank.reference import new_reference
from handsel.flows.issuing.bank_reference import bank_reference
from handsel.flows.issuing.mandate import MANDATE_VERSION, ask_collection, give_mandate
from handsel.pay.money import Money
from tests.simulation.asking import ask_issuer

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUND_MS = 5_000
WITH_MANDATE = 3  # The palms below this one: their owners have money collected.
COLLECTS = 0.4
UNKNOWN, MISTYPED, NONE = 0.1, 0.05, 0.05
SENT_MINOR_MAX, COLLECTED_MINOR_MAX = 80_00, 60_00


def send_money(world: World) -> None:
    """
    Send money, or ask for it to be collected, again and again.
    """
    has_mandate = set[int]()
    while True:
        world.schedule.sleep(ROUND_MS * world.rng.uniform(0.5, 1.5))
        palm = world.rng.choice(list(world.wallets))
        if world.is_calm:
            continue
        if palm >= WITH_MANDATE or world.rng.random() >= COLLECTS:
            _send(world, world.wallets[palm])
        elif palm in has_mandate:
            _ask_collection(world, world.wallets[palm])
        elif _give_mandate(world, world.wallets[palm]):
            has_mandate.add(palm)


def _send(world: World, wallet_id: str) -> None:
    rng, banked = world.rng, world.truth.banked
    issuer, amount = world.issuer, Money(rng.randint(1, SENT_MINOR_MAX), "EUR")
    reference = ask_issuer(world, "bank_reference", lambda: bank_reference(issuer.issuer, wallet_id))
    if not isinstance(reference, str):
        return
    sender, drawn = world.bank.holder("somebody"), rng.random()
    is_wrong = UNKNOWN <= drawn < UNKNOWN + MISTYPED
    if drawn < UNKNOWN:
        reference = new_reference(rng.randbytes)
    elif drawn < UNKNOWN + MISTYPED + NONE:
        reference = ""
    world.bank.pay_in("issuer", amount, sender, reference=reference, is_wrong=is_wrong)
    world.count("transfers")
    if drawn < UNKNOWN + MISTYPED:
        banked.strays(sender.iban, Difference.UNKNOWN_REFERENCE, amount.amount_minor)
    elif not reference:
        banked.strays(sender.iban, Difference.NO_REFERENCE, amount.amount_minor)
    else:
        banked.sends(wallet_id, amount.amount_minor)


def _give_mandate(world: World, wallet_id: str) -> bool:
    issuer, holder, mandate_id = world.issuer, world.bank.holder("owner"), world.new_id()
    world.truth.banked.wallet_of[holder.iban] = wallet_id

    def give() -> bool:
        give_mandate(issuer.issuer, wallet_id, holder, mandate_id=mandate_id, version=MANDATE_VERSION)
        return True

    return ask_issuer(world, "give_mandate", give) is True


def _ask_collection(world: World, wallet_id: str) -> None:
    issuer, amount = world.issuer, Money(world.rng.randint(1, COLLECTED_MINOR_MAX), "EUR")
    collection_id = world.new_id()
    world.count("collections")
    ask_issuer(
        world,
        "ask_collection",
        lambda: ask_collection(issuer.issuer, wallet_id, collection_id=collection_id, amount=amount),
    )
