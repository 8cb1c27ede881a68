"""Judge captures by a contract: checks, judgements, expectations, verdicts, the exit rule."""
