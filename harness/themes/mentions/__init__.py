"""Mentions of files and folders in a prompt: ``@notes.txt``, ``@plans``."""
