"""From outcomes to verdicts, in one place: expectations, rows, counts, the exit rule."""
