"""Tools: permissions, results and edits, at a terminal and headless."""
