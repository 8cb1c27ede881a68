"""What a session is extended with, beginning with hooks: registered, begun, ended."""
