"""
Promise that every reason is explained to the customer.
"""

from __future__ import annotations

import pytest

from handsel.pay.decline import DeclineReason, customer_text


@pytest.mark.parametrize("reason", list(DeclineReason))
def test_every_reason_has_a_text_of_its_own_that_is_a_sentence(reason: DeclineReason) -> None:
    text = customer_text(reason)

    assert text[0].isupper()
    assert text.endswith(".")
    assert [other for other in DeclineReason if customer_text(other) == text] == [reason]
