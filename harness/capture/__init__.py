"""What arrived and what was done: exports, runs, captures, the store and files."""
