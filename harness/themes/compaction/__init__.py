"""Compaction: a conversation that is summed up, because its context is full or by ``/compact``."""
