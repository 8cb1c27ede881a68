"""Write the recordings of real releases that come with us, harness/relay/golden/.

    python docs/golden.py npm:VERSION...

Each release is run through the scenarios whose sessions are kept.  What it exported is real; who
worked, on what and with which keys is made up by the scenarios.
"""

from __future__ import annotations

import argparse
import getpass
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from harness.assessment.recording import RecordingPlan, record_once
from harness.record.header import tool_version
from harness.relay.golden import FOLDER, SESSIONS, pack
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS


def write(spec: str) -> None:
    """Record one release and write its archive."""
    binary = resolve(spec, progress=print)
    names = {name.partition("-")[0] for name in SESSIONS}
    scenarios = tuple(each for each in SCENARIOS.values() if each.name in names)
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder)
        made = record_once(RecordingPlan(binary, scenarios, 120.0, keep), print)
        if made.summary.problem:
            raise SystemExit(made.summary.problem)
        provenance = {
            "subject": spec,
            "release": binary.version,
            "recorded": datetime.now(UTC).date().isoformat(),
            "tool": f"pytest-cc-otel {tool_version()}",
            "scenarios": sorted(names),
            "command": f"python docs/golden.py {spec}",
        }
        FOLDER.mkdir(exist_ok=True)
        target = FOLDER / f"{binary.version}.zip"
        machine = [str(Path.cwd()), str(Path.home() / "."), socket.gethostname()]
        # An account without a name of its own tells nothing.
        machine += [name for name in [getpass.getuser()] if name != "root"]
        pack(keep, target, provenance, [text for text in machine if len(text) > 5])
    print(f"{target}: {target.stat().st_size} bytes")


def main() -> None:
    """Record every release that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="+", metavar="SPEC", help="as --cc-binary takes it")
    for spec in parser.parse_args().spec:
        write(spec)


if __name__ == "__main__":
    main()
