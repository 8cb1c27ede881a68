"""Sessions that go on with an earlier one: ``--resume``, ``--continue``, ``--fork-session``."""
