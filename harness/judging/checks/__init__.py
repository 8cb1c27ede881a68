"""Pure checks: from a requirement and captures to findings, or why nothing was looked at."""
