"""Hypothesis against the subject: many short sessions, drawn, judged and shrunk."""
