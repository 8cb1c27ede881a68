"""Processes and folders that outlive nobody: whatever ends this process, they are ended with it."""
