"""What a release sends, as an inventory, and what differs between two inventories."""
