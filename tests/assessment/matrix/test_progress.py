"""How far a matrix is, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.assessment.matrix.folder import Entry
from harness.assessment.matrix.progress import Progress


@pytest.mark.parametrize(("side_by_side", "left"), [(1, "3 min"), (2, "2 min")])
def test_the_rest_is_estimated(
    entry: Callable[..., Entry], not_run: Callable[[str], Entry], side_by_side: int, left: str
) -> None:
    lines: list[str] = []
    progress = Progress(8, lines.append, side_by_side)
    progress.begin("2.1.1")
    made = entry("2.1.1", {})
    progress.end(replace(made, seconds=30.0, undriven={"toolbox over grpc": "it hangs"}))
    progress.already(replace(made, seconds=50.0))
    progress.end(not_run("2.1.3"))
    progress.begin("2.1.4")
    assert lines == [
        "2.1.1: release 1 of 8",
        "2.1.1: done in 30 s, without toolbox over grpc",
        "2.1.3: not run: npm knows no such release",
        f"2.1.4: release 4 of 8, about {left} left",
    ]
