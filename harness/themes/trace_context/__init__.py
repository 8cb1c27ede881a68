"""The trace of a caller: TRACEPARENT that comes in, and what commands and requests get of it."""
