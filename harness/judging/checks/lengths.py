"""Lengths of texts, as a subject may count them."""

from __future__ import annotations


def lengths(text: str) -> tuple[int, int]:
    """Return the length of a text in UTF-16 code units and in characters."""
    return len(text.encode("utf-16-le")) // 2, len(text)
