"""
Promise that consent is recorded with its text, and that withdrawing it erases the palms but not the money.
"""

from __future__ import annotations

import pytest

from handsel.errors import BodyInvalid, NotFound
from handsel.flows.issuing.consent import give_consent, withdraw_consent
from handsel.flows.issuing.export_wallet import export_wallet
from handsel.flows.issuing.open_wallet import open_wallet
from handsel.flows.issuing.pause_palm import pause_palm
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.pay.decline import Declined, DeclineReason
from tests.flows.issuing.scene import Scene


def test_consent_is_kept_with_its_version_and_time(scene: Scene) -> None:
    wallet = open_wallet(scene.issuer).wallet_id
    assert show_wallet(scene.issuer, wallet).consent_version is None

    give_consent(scene.issuer, wallet, version="2026-11")
    scene.now_ms += 1
    give_consent(scene.issuer, wallet, version="2026-11")
    scene.now_ms += 1
    give_consent(scene.issuer, wallet, version="2026-12")

    consents = export_wallet(scene.issuer, wallet).consents
    assert show_wallet(scene.issuer, wallet).consent_version == "2026-12"
    assert [(consent.version, consent.withdrawn_at_ms) for consent in consents] == [
        ("2026-12", None),
        ("2026-11", scene.now_ms),
    ]
    assert consents[1].given_at_ms == scene.now_ms - 2


def test_withdrawing_erases_the_palms_and_leaves_the_money(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)

    withdraw_consent(scene.issuer, wallet)

    view = show_wallet(scene.issuer, wallet)
    assert view.consent_version is None
    assert [palm.state for palm in view.palms] == ["erased"]
    assert scene.charge(scene.show("ada", 1_00)) == Declined(DeclineReason.NOT_RECOGNISED)
    assert scene.balance(wallet) == 10_00


def test_withdrawing_erases_a_paused_palm_too(scene: Scene) -> None:
    wallet = scene.payer("ada")
    pause_palm(scene.issuer, wallet, palm_id=show_wallet(scene.issuer, wallet).palms[0].palm_id)

    withdraw_consent(scene.issuer, wallet)

    assert [palm.state for palm in show_wallet(scene.issuer, wallet).palms] == ["erased"]


def test_consent_to_no_text_or_in_no_wallet_is_refused(scene: Scene) -> None:
    wallet = open_wallet(scene.issuer).wallet_id

    with pytest.raises(BodyInvalid):
        give_consent(scene.issuer, wallet, version="")
    with pytest.raises(NotFound):
        give_consent(scene.issuer, new_id(), version="1")
    with pytest.raises(NotFound):
        withdraw_consent(scene.issuer, new_id())
