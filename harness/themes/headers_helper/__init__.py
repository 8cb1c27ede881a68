"""Dynamic headers: what the helper answers and what requests then carry."""
