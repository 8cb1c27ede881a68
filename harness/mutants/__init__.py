"""The vocabulary of mutants, applied to captures; and mutants that run as processes."""
