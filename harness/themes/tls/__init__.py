"""Collectors that speak TLS, and client certificates."""
