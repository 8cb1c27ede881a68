"""The checks: pure functions from a requirement and captures to findings.

A check that finds nothing to look at returns the reason instead.
"""
