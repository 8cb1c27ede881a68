"""Send many copies of recorded sessions at a rate, and count what became of them."""
