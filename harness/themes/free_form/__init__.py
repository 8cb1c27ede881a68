"""Free-form input: what may be written in variables and prompts, and what must arrive."""
