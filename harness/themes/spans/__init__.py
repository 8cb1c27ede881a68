"""The spans of a session: whose child each is, and what they say of what the fakes saw."""
