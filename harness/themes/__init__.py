"""The themes, a folder each: scenarios, what they observe, measures and mutants."""
