"""The pages of a matrix, and what they take from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.assessment.matrix.folder import Entry, MatrixFolder, MatrixPlan
from harness.assessment.matrix.pages import write_pages


def test_the_changelog_stands_beside_a_difference(
    tmp_path: Path, entry: Callable[..., Entry]
) -> None:
    folder = MatrixFolder(tmp_path)
    folder.open_for(MatrixPlan("9.1.0", ("mentions",)))
    sent = {"2.1.116": (), "2.1.122": ("at_mention",), "2.1.126": ("at_mention", "x"), "9.1.0": ()}
    for version, events in sent.items():
        with folder.scratch(version) as scratch:
            folder.keep(entry(version, {}, events=events), scratch)
    files = write_pages(folder)
    assert [path.name for path in files] == ["matrix.html", "matrix.md", "matrix.json"]
    rows = json.loads(files[2].read_text(encoding="utf-8"))["differences"]
    lines = {
        (row["subject"], seen["new"]): seen["changelog"] for row in rows for seen in row["seen"]
    }
    assert lines.pop(("event at_mention", "2.1.122")).startswith("2.1.122: ")
    assert lines == {
        ("event x", "2.1.126"): "",
        # So far the changelog is not known.
        ("event at_mention", "9.1.0"): None,
        ("event x", "9.1.0"): None,
    }
    text = files[1].read_text(encoding="utf-8")
    assert "The changelog says nothing of 1 of them; of 2 it is not known." in text
    assert "| `event x` | gone: x | breaking |  | not known |" in text
