"""What arrived and what was done: exports, runs, captures, and their files."""
