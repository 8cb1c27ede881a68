"""What a collector under test says of itself in its log: that it lost something."""
