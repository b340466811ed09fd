"""
Watch another party's heads: what issuer and acquirer do alike about each other's ledgers.
"""
