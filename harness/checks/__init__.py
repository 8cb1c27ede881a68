"""Pure checks: a requirement and what a run left, in; findings or NotExercised, out."""
