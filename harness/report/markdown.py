"""Render a requirement catalogue as a Markdown page.

That of the CLI is ``docs/requirements.md``, that of a collector ``docs/collector_requirements.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..contract.requirement import Requirement, Source
from .terminal import theme

_COMMAND = "cc-harness requirements"


#: Each column of a page by its heading, and what stands in it.
_Columns = Mapping[str, Callable[[Requirement], str]]


def requirements(catalogue: Sequence[Requirement], version: str | None = None) -> str:
    """Render what is promised of the CLI; ``version`` is the release it was selected for."""
    command = _COMMAND if version is None else f"{_COMMAND} --version {version}"
    about = "any release" if version is None else f"release {version}"
    page = _page("Requirements", command, f" for {about}", catalogue, _OF_A_RELEASE)
    return "\n".join(page) + "\n"


def collector_requirements(catalogue: Sequence[Requirement]) -> str:
    """Render what is promised of a collector under test, which depends on no release."""
    title, command = "Requirements of a collector", f"{_COMMAND} --collector"
    return "\n".join(_page(title, command, "", catalogue, _OF_A_COLLECTOR)) + "\n"


def _page(
    title: str, command: str, about: str, catalogue: Sequence[Requirement], columns: _Columns
) -> Iterator[str]:
    yield f"# {title}"
    yield ""
    yield f"Written by `{command}`; change the files in `schemas/`, not this one."
    yield ""
    yield f"{len(catalogue)} promises{about}."
    themes: dict[str, list[Requirement]] = {}
    for requirement in catalogue:
        themes.setdefault(theme(requirement.name), []).append(requirement)
    for name, members in themes.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield f"| {' | '.join(columns)} |"
        yield f"|{' --- |' * len(columns)}"
        for promise in members:
            cells = (cell(promise) for cell in columns.values())
            yield f"| {' | '.join(map(escaped, cells))} |"


def _linked(source: Source) -> str:
    return f"[{source}]({source.url})" if source.url else str(source)


def escaped(text: str) -> str:
    """Return a text as it may stand in a cell of a table."""
    return text.replace("|", "\\|")


_PROMISE: _Columns = {
    "requirement": lambda promise: f"`{promise.name}`",
    "level": lambda promise: promise.level.value,
    "promise": lambda promise: promise.statement,
    "source": lambda promise: _linked(promise.source),
}
_OF_A_RELEASE: _Columns = {
    **_PROMISE,
    "releases": lambda promise: f"{promise.versions}{' (measured)' if promise.measured else ''}",
    "exercised by": lambda promise: promise.exercised_by,
}
_OF_A_COLLECTOR: _Columns = {
    **_PROMISE,
    "protocols": lambda promise: ", ".join(promise.protocols) or "all",
    "exercised by": lambda promise: promise.exercised_by,
}
