"""The record of a run: its header, rows and counts, written and read as JSON lines."""
