"""Render a run record as text for a terminal or as Markdown; pure."""
