"""OTLP without I/O: the two encodings, responses and the flattened model."""
