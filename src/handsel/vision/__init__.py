"""
See a palm: from a camera's picture to a unit vector, or to a reason that the customer can act on.

This package knows pictures and nothing else: no wallet, no share, no network. What it returns is never written down.
"""
