"""Delivery to collectors that refuse, stall, reset connections or are unreachable."""
