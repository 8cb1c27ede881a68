"""Dynamic headers: what the headers helper prints, and what requests then carry."""
