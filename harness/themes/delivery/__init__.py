"""Delivery while collectors refuse, stall, break off or are away."""
