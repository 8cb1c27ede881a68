"""Stand-ins for what surrounds a subject: Messages API, MCP server, headers helper, proxy."""
