"""Find or install the process under test, and drive and end it in a sandbox."""
