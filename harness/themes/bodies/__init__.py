"""Bodies of API requests and responses that are logged whole, and the limit of contents."""
