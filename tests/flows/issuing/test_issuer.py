"""
Promise that the issuer loads no palm, and that its money is conserved whatever its customers do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handsel.errors import ConfigError, InvariantBroken
from handsel.flows.issuing.approved import Approved, Credited
from handsel.flows.issuing.close_wallet import close_wallet
from handsel.flows.issuing.issuer import decline_of, digest_of, open_issuer_accounts
from handsel.flows.issuing.redeem import redeem
from handsel.flows.issuing.void_charge import expire_charges, void_charge
from handsel.ids import new_id
from handsel.notes.issue import NoteKeys
from handsel.notes.note import Note
from handsel.order import NoteRequest
from handsel.pay.decline import Declined, DeclineReason
from handsel.pay.ledger import Refusal, Refused
from tests.flows.issuing.at_bank import OWN
from tests.flows.issuing.scene import ACQUIRER, Scene, Shown, crash, send

MAY_LOAD_OF_MATCHING = {"handsel.matching", "handsel.matching.message", "handsel.matching.alias"}
LOAD_ALL = """
import importlib, pkgutil, sys
import handsel.flows.issuing as flows
for module in pkgutil.iter_modules(flows.__path__):
    importlib.import_module(f"handsel.flows.issuing.{module.name}")
print(*sys.modules, sep="\\n")
"""


def test_the_issuers_flows_load_no_array_and_no_picture() -> None:
    found = subprocess.run([sys.executable, "-c", LOAD_ALL], capture_output=True, text=True, check=True, timeout=60)

    modules = set(found.stdout.split())
    assert "handsel.flows.issuing.charge" in modules
    assert {name for name in modules if name.startswith("handsel.matching")} <= MAY_LOAD_OF_MATCHING
    for forbidden in ("numpy", "cv2", "numba", "onnxruntime", "handsel.vision", "handsel.drawn", "handsel.till"):
        assert forbidden not in modules


def test_accounts_are_opened_once(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)

    open_issuer_accounts(scene.issuer)

    assert scene.balance(wallet) == 10_00


def test_play_money_and_a_bank_do_not_meet_in_one_ledger(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    at_bank = replace(scene.issuer, bank=OWN)

    with pytest.raises(ConfigError, match="play money"):
        open_issuer_accounts(at_bank)

    close_wallet(scene.issuer, wallet)
    open_issuer_accounts(at_bank)


def test_there_is_no_fourth_matcher(scene: Scene) -> None:
    assert scene.issuer.matchers.of("a") == scene.matcher_keys["a"].public()
    with pytest.raises(InvariantBroken):
        scene.issuer.matchers.of("d")


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_customer_is_told_what_concerns_him_and_anything_else_is_a_defect(refusal: Refusal) -> None:
    told = {
        Refusal.ACCOUNT_CLOSED: DeclineReason.WALLET_CLOSED,
        Refusal.CURRENCY_DIFFERS: DeclineReason.CURRENCY_DIFFERS,
        Refusal.INSUFFICIENT_FUNDS: DeclineReason.INSUFFICIENT_FUNDS,
    }

    if refusal in told:
        assert decline_of(Refused(refusal)) == Declined(told[refusal])
    else:
        with pytest.raises(InvariantBroken):
            decline_of(Refused(refusal))


def test_a_digest_tells_requests_apart() -> None:
    one, two = NoteRequest("a", b"1"), NoteRequest("a", b"2")

    assert digest_of(one) == digest_of(one)
    assert len({digest_of(one), digest_of(two), digest_of(one, two), digest_of("x", one), digest_of("x")}) == 5


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["charge", "repeat", "interrupt", "void", "expire", "redeem", "refund"]), st.integers(1, 3_00)
    ),
    max_size=10,
)


@settings(max_examples=12, deadline=None)
@given(acts=ACTS)
def test_whatever_customers_do_money_is_conserved(note_keys: NoteKeys, acts: list[tuple[str, int]]) -> None:
    """
    What was topped up is, at every moment, in the wallet, in notes that somebody holds, or with the acquirer.
    """
    with tempfile.TemporaryDirectory() as directory:
        play = _Play(Scene(Path(directory) / "issuer", note_keys))
        for kind, minor in acts:
            play.take(kind, minor)

            held = sum(_worth(play.scene, note) for note in play.purse)
            assert play.scene.circulating() == held
            assert play.scene.balance(play.wallet) + held + play.scene.settled() == 10_00
        play.scene.issuer.database.close()


def _worth(scene: Scene, note: Note) -> int:
    return scene.issuer.note_keys.public().require(note.key_id).denomination_minor


class _Play:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.wallet = scene.payer("ada", 10_00)
        self.purse: list[Note] = []
        self.shown: list[Shown] = []
        self.paid: set[str] = set()

    def take(self, kind: str, minor: int) -> None:
        if kind == "charge":
            self.shown.append(self.scene.show("ada", minor))
            self._pay(self.shown[-1])
        elif kind == "interrupt":
            self._interrupt(self.scene.show("ada", minor))
        elif kind == "repeat" and self.shown:
            self._pay(self.shown[minor % len(self.shown)])
        elif kind == "void" and self.shown:
            void_charge(self.scene.issuer, self.shown[minor % len(self.shown)].charge_id, acquirer=ACQUIRER)
        elif kind == "expire":
            self.scene.now_ms += minor * 1000
            expire_charges(self.scene.issuer)
        elif kind == "redeem" and self.purse:
            redeem(self.scene.issuer, new_id(), notes=(self.purse.pop(),), acquirer=ACQUIRER)
        elif kind == "refund" and self.purse:
            note = self.purse.pop()
            order = self.scene.refund_order(_worth(self.scene, note))
            assert self.scene.refund("ada", order, (note,)) == Credited()

    def _pay(self, shown: Shown) -> None:
        outcome = self.scene.charge(shown)
        if isinstance(outcome, Approved) and shown.charge_id not in self.paid:
            self.paid.add(shown.charge_id)
            self.purse.extend(self.scene.notes(shown, outcome))

    def _interrupt(self, shown: Shown) -> None:
        if self.scene.balance(self.wallet) < 10_00:
            return  # The charge might be declined, and then it has no second commit to crash at.
        self.shown.append(shown)
        crash(self.scene, lambda issuer: send(issuer, shown), at=1, is_committed=False)
