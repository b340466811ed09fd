"""
Promise that a wallet opens with its own key and with nothing else.
"""

from __future__ import annotations

import pytest

from handsel.errors import AccessDenied
from handsel.flows.issuing.open_wallet import open_wallet, wallet_of
from handsel.flows.issuing.show_wallet import show_wallet
from tests.flows.issuing.scene import Scene


def test_a_new_wallet_is_empty_and_opens_with_its_key(scene: Scene) -> None:
    opened, other = open_wallet(scene.issuer), open_wallet(scene.issuer)

    assert wallet_of(scene.issuer, opened.key) == opened.wallet_id != other.wallet_id
    assert show_wallet(scene.issuer, opened.wallet_id).balance_minor == 0


@pytest.mark.sqlite
def test_the_key_has_256_bits_and_is_not_stored(scene: Scene) -> None:
    opened = open_wallet(scene.issuer)

    assert len(bytes.fromhex(opened.key)) == 32
    scene.issuer.database.close()
    files = b"".join(file.read_bytes() for file in scene.directory.iterdir())
    assert bytes.fromhex(opened.key) not in files
    assert opened.key.encode() not in files
    assert opened.wallet_id.encode() in files


@pytest.mark.parametrize("key", ["", "0" * 64, "0" * 63, "x" * 64, "' OR 1=1"])
def test_no_other_key_opens_anything(scene: Scene, key: str) -> None:
    open_wallet(scene.issuer)

    with pytest.raises(AccessDenied):
        wallet_of(scene.issuer, key)


def test_a_key_is_not_printed(scene: Scene) -> None:
    opened = open_wallet(scene.issuer)

    assert opened.key not in repr(opened)
