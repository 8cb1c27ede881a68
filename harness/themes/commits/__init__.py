"""Commits and pull requests in every form, and commands that only look like one."""
