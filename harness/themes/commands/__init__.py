"""Slash commands: built in, of the project, and unknown."""
