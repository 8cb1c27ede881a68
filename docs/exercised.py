"""Write schemas/exercised.json: what the runs of each measured release exercise and send.

    python docs/exercised.py DIR...

Each DIR is a recording that ``pytest --cc-binary=… --cc-captures=DIR`` kept, or a folder of such
recordings. What they show replaces what the file says of the same runs of the same releases; all
else stays.  ``--fresh`` forgets what the file says.

Run it after adding a requirement or a scenario, with two recordings or more of some releases and
of the conforming emitter; ``--cc-scenarios`` may confine them to the scenarios that judge it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.assessment.kept import load_recording
from harness.assessment.measuring import measure, table, unmeasured
from harness.assessment.recording import Recording
from harness.capture.run import SubjectFacts
from harness.contract.exercised import FILE_NAME, read_exercised
from harness.record import jsonl

ROOT = Path(__file__).resolve().parents[1]

EMPTY: Mapping[str, Any] = {
    **{kind: {"measured": {}, "exercised": [], "sent": []} for kind in ("cli", "reference")},
    "not_expected": {},
}


def recordings(folders: list[Path]) -> Iterator[tuple[SubjectFacts, Recording]]:
    """Load every recording in the folders, one after the other."""
    for folder in folders:
        inner = [folder] if (folder / jsonl.FILE_NAME).is_file() else sorted(folder.iterdir())
        for each in inner:
            if (each / jsonl.FILE_NAME).is_file():
                print(f"reading {each}")
                _, subject, recording = load_recording(each)
                yield subject, recording


def text(value: Any, depth: int = 0) -> str:
    """Write JSON so that a row of the table, and a list of names, is one line each."""
    indent = " " * (depth + 1)
    if isinstance(value, dict) and depth < 2 and "scenarios" not in value:
        members = (f"{indent}{json.dumps(key)}: {text(v, depth + 1)}" for key, v in value.items())
        return "{\n" + ",\n".join(members) + f"\n{' ' * depth}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = (f"{indent}{json.dumps(row)}" for row in value)
        return "[\n" + ",\n".join(rows) + f"\n{' ' * depth}]"
    return json.dumps(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", metavar="DIR", type=Path, nargs="+")
    parser.add_argument("--fresh", action="store_true", help="forget what the file says")
    arguments = parser.parse_args()
    before = EMPTY if arguments.fresh else read_exercised()
    data = table(measure(recordings(arguments.folders)), before)
    path = ROOT / "schemas" / FILE_NAME
    path.write_text(text(data) + "\n", encoding="utf-8")
    missing = unmeasured(data)
    print(f"{path}: {path.stat().st_size} bytes, {len(missing)} requirements not measured")
    for name in missing:
        print(f"  {name}")


if __name__ == "__main__":
    main()
