"""Fakes of a subject's surroundings: Messages API, MCP server, headers helper, proxies."""
