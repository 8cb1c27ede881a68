"""The record of a run: its header, its rows, its counts; written and read as JSON lines."""
