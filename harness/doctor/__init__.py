"""What this machine can and cannot exercise, why, and what to change."""
