"""What comes out of a collector is what was sent into it, item by item."""
