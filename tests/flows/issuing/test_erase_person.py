"""
Promise that an erased person leads to nothing, and that every proof that was given before is as good as it was.
"""

from __future__ import annotations

import pytest

from handsel.errors import AccessDenied, NotFound
from handsel.flows.issuing.deliver_orders import deliver_orders
from handsel.flows.issuing.erase_person import Erased, erase_person, shred_identities, what_would_be_kept
from handsel.flows.issuing.export_wallet import prove_wallet
from handsel.flows.issuing.open_wallet import open_wallet, wallet_of
from handsel.flows.issuing.show_wallet import show_wallet
from handsel.ids import new_id
from handsel.pay.decline import Declined
from handsel.pay.money import Money
from handsel.proof.head import verify_growth
from handsel.proof.statement import verify_statement
from handsel.store.issuer_identity import RETENTION_MS, Basis, KeptRow
from handsel.store.tree_check import check_tree
from tests.flows.issuing.scene import Scene


def known(scene: Scene, wallet_id: str) -> None:
    """
    Let the issuer know a name, which the law asks for, and a bank account, which it does not.
    """
    with scene.issuer.database.unit_of_work() as uow:
        put = scene.issuer.identities.put
        put(uow, wallet_id, kind="name", content="Ada", basis=Basis.LAW, now_ms=scene.now_ms)
        put(uow, wallet_id, kind="bank_account", content="DE00", basis=Basis.SERVICE, now_ms=scene.now_ms)
        uow.commit()


def test_everything_goes_at_once_but_what_the_law_keeps_and_that_on_its_day(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    known(scene, wallet)
    until_ms = scene.now_ms + RETENTION_MS
    assert what_would_be_kept(scene.issuer, wallet) == (KeptRow("name", Basis.LAW, until_ms),)

    erased = erase_person(scene.issuer, wallet)

    assert erased == Erased(Money(10_00, "EUR"), (KeptRow("name", Basis.LAW, until_ms),))
    deliver_orders(scene.issuer, scene.matchers)
    assert isinstance(scene.charge(scene.show("ada", 1_00)), Declined)
    with scene.issuer.database.unit_of_work() as uow:
        assert uow.rows("SELECT 1 FROM consents UNION SELECT 1 FROM enrolment_codes UNION SELECT 1 FROM cards") == []
        assert uow.rows("SELECT alias FROM palms") == [(None,)]
        assert uow.rows("SELECT key_digest FROM wallets") == [(None,)]
        assert [row.content for row in scene.issuer.identities.get(uow, wallet)] == ["Ada"]
    scene.now_ms = until_ms - 1
    assert shred_identities(scene.issuer) == 0
    scene.now_ms = until_ms
    assert shred_identities(scene.issuer) == 1
    with scene.issuer.database.unit_of_work() as uow:
        assert scene.issuer.identities.get(uow, wallet) == ()
    scene.audit()


@pytest.mark.sqlite
def test_doing_it_again_changes_nothing(scene: Scene) -> None:
    wallet = scene.payer("ada", 10_00)
    known(scene, wallet)
    first = erase_person(scene.issuer, wallet)
    scene.now_ms += 1000

    again = erase_person(scene.issuer, wallet)

    assert again == Erased(Money(0, "EUR"), first.kept)


def test_all_proofs_of_before_stay_valid_and_the_ledger_goes_on(scene: Scene) -> None:
    wallet, other = scene.payer("ada", 10_00), scene.payer("bob", 10_00)
    scene.buy("ada", 4_50)
    scene.buy("bob", 2_00)
    tree = scene.issuer.tree
    statements = [prove_wallet(scene.issuer, each) for each in (wallet, other)]
    head = tree.head()

    erase_person(scene.issuer, wallet)
    scene.now_ms += 2 * RETENTION_MS
    shred_identities(scene.issuer)
    scene.buy("bob", 1_00)
    assert tree.grow()

    for statement in statements:
        assert verify_statement(statement, key=tree.public).last == 2
    newer = tree.head()
    verify_growth(head, newer, tree.growth(first=head.head.size, second=newer.head.size), key=tree.public)
    assert verify_statement(prove_wallet(scene.issuer, other), key=tree.public).closing_minor == 7_00
    assert check_tree(scene.issuer.database, tree.public) == ()


@pytest.mark.sqlite
def test_nobody_can_open_an_erased_wallet(scene: Scene) -> None:
    opened = open_wallet(scene.issuer)

    erase_person(scene.issuer, opened.wallet_id)

    with pytest.raises(AccessDenied):
        wallet_of(scene.issuer, opened.key)


@pytest.mark.sqlite
def test_a_wallet_that_never_was_has_nobody_to_erase(scene: Scene) -> None:
    for act in (erase_person, prove_wallet, show_wallet):
        with pytest.raises(NotFound):
            act(scene.issuer, new_id())
    assert what_would_be_kept(scene.issuer, new_id()) == ()
