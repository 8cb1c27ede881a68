"""A project that nobody trusts: what its settings do before somebody is asked."""
