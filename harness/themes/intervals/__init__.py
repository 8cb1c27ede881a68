"""Export intervals of each signal."""
