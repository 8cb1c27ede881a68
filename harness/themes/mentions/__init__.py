"""What a prompt mentions: ``@notes.txt``, ``@plans``."""
