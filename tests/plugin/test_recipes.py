"""The recipes of docs/recipes run as they stand, and the page lists all of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECIPES = sorted((DOCS / "recipes").glob("*.py"))

Run = Callable[..., pytest.RunResult]


def test_the_page_lists_each_recipe() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    linked = re.findall(r"\[(test_\w+\.py)\]\(recipes/(\S+)\)", page)
    assert [text for text, _ in linked] == [link for _, link in linked]
    assert sorted(link for _, link in linked) == [path.name for path in RECIPES]
    assert "](docs/recipes.md)" in (DOCS.parent / "README.md").read_text(encoding="utf-8")


def test_the_bug_report_takes_ten_lines() -> None:
    code = (DOCS / "recipes" / "test_reproduce_a_bug_report.py").read_text(encoding="utf-8")
    body = code.partition("def test_")[2].strip().splitlines()
    assert len(body) - 1 <= 10


@pytest.mark.slow
def test_each_recipe_runs(pytester: pytest.Pytester, run: Run) -> None:
    """In one session: they share the time to start."""
    for path in RECIPES:
        shutil.copy(path, pytester.path)
    result = run("--cc-binary=reference", *(path.name for path in RECIPES), timeout=570)
    # The conforming emitter is not of the one old release that a recipe is about.
    result.assert_outcomes(passed=12, skipped=1)
