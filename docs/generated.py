"""Write what is made of ``schemas/``: docs/requirements.md, docs/undocumented.md, the golden names.

    python docs/generated.py

Run it after every change of ``schemas/``, and read the diff: a name that vanishes from the
golden list is a promise that nobody can refer to any more.
"""

from __future__ import annotations

from pathlib import Path

from harness.assessment.assessment import catalogue
from harness.report import markdown, undocumented

ROOT = Path(__file__).resolve().parents[1]


def generated() -> dict[Path, str]:
    """Return the content of each generated file."""
    requirements = catalogue().requirements
    names = sorted(requirement.name for requirement in requirements)
    return {
        ROOT / "docs" / "requirements.md": markdown.requirements(requirements),
        ROOT / "docs" / "undocumented.md": undocumented.page(),
        ROOT / "tests" / "contract" / "requirements.golden.txt": "".join(
            f"{name}\n" for name in names
        ),
    }


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
