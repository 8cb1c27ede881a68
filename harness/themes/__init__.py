"""One folder a theme: its scenarios, what they observe, its measures and its mutants."""
