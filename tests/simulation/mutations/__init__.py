"""
List the planted bugs: the simulation is worth as much as it finds of them.
"""

from __future__ import annotations

from tests.simulation.mutations import acquirer, bank, factors, issuer, ledger, receipts, reserved, returns, till, tree
from tests.simulation.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *issuer.MUTATIONS,
    *acquirer.MUTATIONS,
    *till.MUTATIONS,
    *ledger.MUTATIONS,
    *reserved.MUTATIONS,
    *factors.MUTATIONS,
    *receipts.MUTATIONS,
    *returns.MUTATIONS,
    *tree.MUTATIONS,
    *bank.MUTATIONS,
)
