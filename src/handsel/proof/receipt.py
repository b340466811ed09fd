"""
Prove to whoever has a receipt that what it says was paid is in the list that the head signs.

Which account was credited is opened, since it is the shop's name; how often and how much that shop is paid is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from handsel.errors import ProofInvalid
from handsel.proof.head import SignedHead, TreeHead, TreeKey
from handsel.proof.leaf import AccountOpening, Leaf
from handsel.proof.merkle import verify_inclusion

FORMAT = "handsel/v1/receipt-proof"


class ReceiptProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Carry the leaf of a payment, the opening of the account that it credits, and the way up to a signed root.
    """

    leaf: Leaf
    credited: AccountOpening
    path: tuple[bytes, ...]
    head: SignedHead
    format: str = FORMAT


@dataclass(frozen=True, repr=False)
class ProvedReceipt:
    """
    Say what the proof of a receipt shows.
    """

    head: TreeHead
    leaf: Leaf
    credited: str


def verify_receipt(proof: ReceiptProof, *, key: TreeKey) -> ProvedReceipt:
    """
    Check the proof of a receipt with nothing but its party's public key. Raises `SignatureInvalid` and `ProofInvalid`.

    1. The head is signed.
    2. The leaf is that of a step that was booked, and credits the account that is named.
    3. The leaf is in the list of the head.
    """
    head = proof.head.verify(key)  # 1
    if proof.format != FORMAT:
        raise ProofInvalid(f"the proof of a receipt has the format {FORMAT}")
    if proof.leaf.kind not in ("post", "capture") or proof.leaf.refusal:  # 2
        raise ProofInvalid("what the proof shows was not booked")
    if proof.credited.commitment() != proof.leaf.credit.account:
        raise ProofInvalid("the proof shows a payment to another account")
    verify_inclusion(  # 3
        proof.leaf.hash(), proof.path, index=proof.leaf.sequence - 1, size=head.size, root=head.root
    )
    return ProvedReceipt(head, proof.leaf, proof.credited.account)
