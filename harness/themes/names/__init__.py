"""The theme of names: which of them a document knows, and which vanish."""
