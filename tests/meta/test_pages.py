"""Every link between our documents leads somewhere, and every page can be found."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "changelog.d").glob("README.md")],
    key=lambda path: (path.parent, path.name),
)


def prose(path: Path) -> str:
    """Return a page without its blocks of code, and without what stands between backquotes."""
    text = re.sub(r"^(```+).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what a link may name in a page, as GitHub and the site call it."""
    text = re.sub(r"^(```+).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def wrong(path: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in re.findall(r"\]\(\s*<?([^)\s>]+)", prose(path)):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert wrong(path) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`, c\n## Twice\n## Twice\n[1](#a-b-c) [2](page.md#twice-1) [3](https://x.example)\n"
        "[4](#none) [5](none.md) [6](page.md#twice-2) ![7](none.png)\n"
        "`[8](none.md)`\n```text\n[9](none.md)\n```\n"
    )
    assert wrong(page) == ["#none", "none.md", "page.md#twice-2", "none.png"]


def test_every_page_is_in_the_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = [
        name
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", index, re.DOTALL | re.MULTILINE)
        for name in re.findall(r"^\w+$", block, re.MULTILINE)
    ]
    assert sorted([*listed, "index"]) == sorted(path.stem for path in DOCS.glob("*.md"))


def test_the_pages_of_the_site_stay_on_it() -> None:
    """Sphinx has no page for a Markdown file outside of docs/."""
    outside = re.compile(r"\]\((\.\./[^)]*\.md[^)]*)\)")
    for path in DOCS.glob("*.md"):
        assert outside.findall(prose(path)) == [], path.name
