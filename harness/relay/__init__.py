"""The machinery of a collector under test: where it listens, what is sent, what comes out."""
