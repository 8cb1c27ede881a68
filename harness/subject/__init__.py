"""Find or install the process under test, and run it in a sandbox."""
