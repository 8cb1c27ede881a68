"""Render the requirement catalogue as a Markdown page (``docs/requirements.md``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.contract.requirement import Requirement, Source
from harness.report.terminal import theme

_COMMAND = "cc-harness requirements"


def requirements(catalogue: Sequence[Requirement], version: str | None = None) -> str:
    """Render all requirements by theme; ``version`` is the release they were selected for."""
    return "\n".join(_page(catalogue, version)) + "\n"


def _page(catalogue: Sequence[Requirement], version: str | None) -> Iterator[str]:
    command = _COMMAND if version is None else f"{_COMMAND} --version {version}"
    yield "# Requirements"
    yield ""
    yield f"Written by `{command}`; change the files in `schemas/`, not this one."
    yield ""
    about = "any release" if version is None else f"release {version}"
    yield f"{len(catalogue)} promises for {about}."
    themes: dict[str, list[Requirement]] = {}
    for requirement in catalogue:
        themes.setdefault(theme(requirement.name), []).append(requirement)
    for name, members in themes.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield "| requirement | level | promise | source | releases | exercised by |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for promise in members:
            cells = (
                f"`{promise.name}`",
                promise.level.value,
                promise.statement,
                _linked(promise.source),
                str(promise.versions),
                promise.exercised_by,
            )
            yield f"| {' | '.join(map(_escaped, cells))} |"


def _linked(source: Source) -> str:
    return f"[{source}]({source.url})" if source.url else str(source)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
