"""Judge many releases, keep what was found of each, and tabulate what changed between them."""
