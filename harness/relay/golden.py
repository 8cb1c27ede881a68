"""Load the recordings of real releases that come with us, to be sent without any CLI.

``golden/`` holds a zip file for each release: a folder for each session, as
:mod:`harness.capture.files` writes it, and ``provenance.json``. ``docs/golden.py`` makes them.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..capture import files
from ..capture.capture import Capture
from ..contract.versions import Version
from ..errors import HarnessError, UsageError
from ..keeping import folders

FOLDER = Path(__file__).parent / "golden"
PROVENANCE = "provenance.json"

#: The sessions of each release: every metric, event and span that our scenarios draw out of it,
#: with all gates closed and all open, deltas with gaps, and an account that is signed in.
SESSIONS = (
    "working_day-http-json",
    "terminal_day-http-protobuf",
    "toolbox-grpc",
    "toolbox_open-http-protobuf",
    "api_failures-http-protobuf",
    "frequent-grpc",
    "identity_included-http-protobuf",
    "mentions-http-json",
)
_KEPT = (files.SIDECAR, files.TRANSPORT)
#: All files in an archive have this time, so that the same recordings make the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def releases() -> tuple[str, ...]:
    """Return the releases whose recordings come with us, the oldest first."""
    names = [path.stem for path in FOLDER.glob("*.zip")]
    return tuple(sorted(names, key=Version.parse))


def load(release: str) -> tuple[Capture, ...]:
    """Load the recorded sessions of a release. Raises HarnessError if they are not there."""
    path = FOLDER / f"{release}.zip"
    try:
        with folders.temporary("golden", brief=True) as folder:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
            return tuple(
                files.load(sidecar.parent)
                for sidecar in sorted(Path(folder).glob(f"*/{files.SIDECAR}"))
            )
    except (OSError, zipfile.BadZipFile) as error:
        raise HarnessError(f"{path}: {error}") from error


def provenance(release: str) -> Mapping[str, Any]:
    """Return how the recordings of a release were made. Raises HarnessError without any."""
    path = FOLDER / f"{release}.zip"
    try:
        with zipfile.ZipFile(path) as archive:
            facts: Mapping[str, Any] = json.loads(archive.read(PROVENANCE))
            return facts
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise HarnessError(f"{path}: {error}") from error


def pack(recording: Path, target: Path, provenance: dict[str, Any], private: list[str]) -> None:
    """Write an archive of the sessions in ``recording``, a folder that ``--cc-captures`` made.

    What tells of the machine that recorded (command lines, paths of programs, outputs) is left
    out. Raises UsageError if a session is missing, or if one of the ``private`` texts is in it.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, PROVENANCE, json.dumps(provenance, indent=1).encode())
        for name in SESSIONS:
            if not (recording / name).is_dir():
                raise UsageError(
                    f"recording {recording}", seen=f"no folder {name}", expected="a whole recording"
                )
            with folders.temporary("golden", brief=True) as folder:
                files.save(_without_machine(files.load(recording / name)), Path(folder))
                for file in _KEPT:
                    content = (Path(folder) / file).read_bytes()
                    for text in private:
                        if text.encode() in content:
                            raise UsageError(
                                f"{recording / name / file}",
                                seen=repr(text),
                                expected="a recording that does not tell where it was made",
                            )
                    _add(archive, f"{name}/{file}", content)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _without_machine(capture: Capture) -> Capture:
    run = capture.run
    subject = replace(run.subject, path="claude")
    return replace(
        capture,
        run=replace(run, subject=subject, argv=("claude",), stdout="", stderr="", observed={}),
    )
