"""Declarative runs, and the recorder that runs them side by side."""
