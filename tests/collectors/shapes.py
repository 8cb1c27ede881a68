"""Read what each pipeline says of itself: its shape, what is lost in it, what fails, what helps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PIPELINES = Path(__file__).with_name("pipelines")
#: What the comment at the beginning of a pipeline's file says, each after its word and a colon.
WORDS = ("Shape", "Sent with", "Expected loss", "Fails", "May fail", "Remedy")
_OPTIONAL = ("Sent with", "May fail", "Remedy")
_WORD = re.compile(rf"^({'|'.join(WORDS)}): ", re.MULTILINE)
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Shape:
    """A pipeline and what its author expects of it.

    ``fails`` are all requirements that it breaks, when recorded sessions are sent through it;
    ``may_fail`` are broken, too, and are seen so only if a scrape comes between two exports.
    ``options`` are what it takes besides.
    ``changes`` is the file that declares what it does on purpose, if there is one.
    """

    name: str
    shape: str
    options: tuple[str, ...]
    loss: str
    fails: frozenset[str]
    may_fail: frozenset[str]
    remedy: str

    @property
    def config(self) -> Path:
        return PIPELINES / f"{self.name}.yaml"

    @property
    def changes(self) -> Path | None:
        path = PIPELINES / f"{self.name}.toml"
        return path if path.exists() else None


def read(path: Path) -> Shape:
    """Read one pipeline's comment. Raises ValueError for one that lacks a word."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    _, *parts = _WORD.split("\n".join(lines))
    said = {
        word: " ".join(text.split()) for word, text in zip(parts[::2], parts[1::2], strict=True)
    }
    if missing := [word for word in WORDS if word not in said and word not in _OPTIONAL]:
        raise ValueError(f"{path}: expected a comment with '{missing[0]}:', saw {list(said)}")
    return Shape(
        path.stem,
        said["Shape"],
        tuple(said.get("Sent with", "").split()),
        said["Expected loss"],
        _names(said["Fails"]),
        _names(said.get("May fail", _NOTHING)),
        said.get("Remedy", ""),
    )


def _names(text: str) -> frozenset[str]:
    return frozenset() if text == _NOTHING else frozenset(re.split(r",\s*", text))


#: All pipelines by their names.
SHAPES: Mapping[str, Shape] = {path.stem: read(path) for path in sorted(PIPELINES.glob("*.yaml"))}
