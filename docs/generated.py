"""Write what is made of ``schemas/`` and of the pipelines of our tests.

That is docs/requirements.md, docs/collector_requirements.md, docs/undocumented.md,
docs/collectors.md, docs/what_we_found.md, docs/coverage.md (of docs/coverage.json), the
reference (docs/options.md, commands.md, fixtures.md, schemas.md, record.md), the golden lists, and
schemas/validated.json.

    python docs/generated.py

Run it after every change of these, and read the diff: a name that vanishes from the
golden list is a promise that nobody can refer to any more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import coverage_page
import found_page
import reference_page
import schema_page

from harness.assessment.job import CLAUDE, COLLECTOR
from harness.contract import exercised, validated
from harness.contract.catalogue import CLAUDE_FOLDERS, COLLECTOR_FOLDERS, contract_files, validate
from harness.contract.files import schema_root
from harness.contract.requirement import Requirement
from harness.report import markdown, undocumented

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from tests.collectors import page  # noqa: E402 - it is found by the line before

GOLDEN = ROOT / "tests" / "contract"

#: Everything that is promised for any version.
_ANY = "0.0.0"


def generated() -> dict[Path, str]:
    """Return the content of each generated file."""
    claude = CLAUDE.contract(_ANY).requirements
    collector = COLLECTOR.contract(_ANY).requirements
    return {
        schema_root() / validated.FILE_NAME: all_validated(),
        ROOT / "docs" / "requirements.md": markdown.requirements(claude),
        ROOT / "docs" / "collector_requirements.md": markdown.collector_requirements(collector),
        ROOT / "docs" / "what_we_found.md": found_page.page(claude),
        ROOT / "docs" / "options.md": reference_page.options(),
        ROOT / "docs" / "commands.md": reference_page.commands(),
        ROOT / "docs" / "fixtures.md": reference_page.fixtures(),
        ROOT / "docs" / "schemas.md": schema_page.schemas(),
        ROOT / "docs" / "record.md": schema_page.record(),
        ROOT / "docs" / "undocumented.md": undocumented.page(),
        GOLDEN / "requirements.golden.txt": _names(claude),
        GOLDEN / "collector_requirements.golden.txt": _names(collector),
        ROOT / "docs" / "collectors.md": page.page(),
        ROOT / "docs" / "coverage.md": coverage_page.page(coverage_page.Coverage.read(), claude),
    }


def all_validated() -> str:
    """Validate every contract file and what runs exercise; return the list of these files."""
    root = schema_root()
    files = dict((*contract_files(CLAUDE_FOLDERS), *contract_files(COLLECTOR_FOLDERS)))
    for path, data in files.items():
        validate(path, data)
    exercised.validate(exercised.read_exercised())
    listed = validated.listing(
        root, {root / exercised.FILE_NAME: exercised.SCHEMA, **dict.fromkeys(files, validated.META)}
    )
    return json.dumps(listed, indent=2) + "\n"


def _names(requirements: Iterable[Requirement]) -> str:
    return "".join(f"{name}\n" for name in sorted(each.name for each in requirements))


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
