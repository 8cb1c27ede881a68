"""Free-form variables and prompts: what may be written, and what must arrive."""
