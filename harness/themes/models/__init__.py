"""Models with suffixes, effort levels, and fast mode."""
