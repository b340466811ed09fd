"""
Pay with your palm; nobody keeps it, nobody follows you.

Read the packages in this order to follow a palm to a receipt: `vision`, `matching`, `notes`, `pay`, `flows`, `till`,
`store`, `web`, `wiring`, `cli`. ARCHITECTURE.md draws the tree and the walk.
"""

__version__ = "0.1.0"
