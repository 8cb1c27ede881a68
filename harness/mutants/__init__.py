"""Mutants: captures, and processes, that break one promise on purpose."""
