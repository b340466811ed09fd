"""
Look whether acquirers have forgotten what would join a refund to the wallet that it credited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.disk import Disk
    from tests.simulation.world import World

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
# By a serial the issuer finds the refund that it was redeemed by; by a redemption that redeemed nothing, its serials.
_SERIALS = "SELECT serial FROM redeemed_notes WHERE request_id IN (SELECT id FROM refunds)"
_FOUND_OUT_BY = "SELECT id FROM redemptions WHERE id NOT IN (SELECT request_id FROM redeemed_notes)"


def judge(world: World) -> None:
    """
    Compare all that acquirers keep with what the issuer knows a refund by.
    """
    issuer, require = world.issuer.disk, world.truth.require
    serials, found_out_by = ({value for (value,) in issuer.rows(query)} for query in (_SERIALS, _FOUND_OUT_BY))
    for acquirer in world.acquirers:
        kept = _values(acquirer.disk)
        require(kept.isdisjoint(serials), "an acquirer keeps the serial of a note that was credited")
        require(kept.isdisjoint(found_out_by), "an acquirer keeps the redemption by which it found out of a credit")
        require(kept.isdisjoint(world.truth.order_ids_back), "an acquirer keeps the id of an order of a refund")


def _values(disk: Disk) -> set[object]:
    tables = [name for (name,) in disk.rows(_TABLES)]
    return {value for table in tables for row in disk.rows(f"SELECT * FROM {table}") for value in row}  # noqa: S608
