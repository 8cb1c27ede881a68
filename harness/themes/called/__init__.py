"""What a session calls upon: servers of MCP, skills, subagents."""
