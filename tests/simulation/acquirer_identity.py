"""
Hold the key with which the simulated acquirers sign what was paid. Both have the same.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from handsel.keys import PartyKeys
from tests.flows.issuing.scene import TREE_KEY

IDENTITY = PartyKeys(X25519PrivateKey.from_private_bytes(bytes(32)), TREE_KEY)
