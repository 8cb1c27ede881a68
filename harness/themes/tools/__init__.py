"""Tools: permissions, results, edits, at a terminal and headless."""
