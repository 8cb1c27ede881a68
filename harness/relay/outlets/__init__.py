"""What comes out of a collector under test, seen in the ways in which it may come out."""
