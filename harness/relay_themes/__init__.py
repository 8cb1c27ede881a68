"""The themes of a collector under test, one folder each, and none of them imports another."""
