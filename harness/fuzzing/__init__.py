"""Fuzz the subject: Hypothesis draws input for many short sessions, which are then judged."""
