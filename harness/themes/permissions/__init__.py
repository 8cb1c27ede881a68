"""Permissions that a tool of an MCP server gives: ``--permission-prompt-tool``."""
