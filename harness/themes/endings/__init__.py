"""How the processes of sessions end."""
