"""Judge captures by a contract: checks, listed deviations, verdicts and the exit rule."""
