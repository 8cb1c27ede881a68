"""Parse lists of key=value pairs in environment variables, and name what is odd about them."""
