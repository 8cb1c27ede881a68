"""Read somebody's queries: dashboards of Grafana, rules of Prometheus, SQL, or plain lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path
from typing import Any

import yaml

from ..drift.impact import Query
from ..errors import UsageError

#: Where dashboards hold the text of a query.
_FIELDS = ("expr", "query", "rawSql", "rawQuery", "expression", "queryText")


#: How a pattern for several files is told from the name of one.
_PATTERN = re.compile(r"[*?\[]")


def read_all(names: Iterable[str], option: str, beside: Path) -> list[Query]:
    """Return the queries of all files; a name may be a pattern, such as ``grafana/*.json``.

    ``beside`` is the folder that the names start from. Raises UsageError, which names the
    ``option``, for a file that cannot be read or holds no query, and for a pattern without a file.
    """
    found = []
    for name in names:
        path = beside / Path(name).expanduser()
        paths = [path]
        if _PATTERN.search(name) and not path.exists():
            paths = sorted(map(Path, glob(str(path), recursive=True)))
        if not paths:
            raise UsageError(
                f"{option} {name}", seen="no such file", expected="a pattern that files match"
            )
        for each in paths:
            found += read_queries(each, option)
    return found


def read_queries(path: Path, option: str = "--queries") -> list[Query]:
    """Return the queries of a file, by its kind: JSON, YAML, SQL, or one a line.

    Raises UsageError for a file that cannot be read, or holds no query.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = list(_of_kind(path, text))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(
            f"{option} {path}",
            seen=str(error).replace("\n", " "),
            expected="a dashboard (JSON), rules (YAML), SQL, or a list of queries",
        ) from error
    if not found:
        raise UsageError(
            f"{option} {path}", seen="no query in it", expected="a file that holds queries"
        )
    return found


def _of_kind(path: Path, text: str) -> Iterator[Query]:
    match path.suffix.lower():
        case ".json":
            yield from _nested(str(path), json.loads(text), "")
        case ".yaml" | ".yml":
            for document in yaml.safe_load_all(text):
                yield from _nested(str(path), document, "")
        case ".sql":
            for number, statement in enumerate(text.split(";"), start=1):
                if statement.strip():
                    yield Query(str(path), f"statement {number}", statement.strip())
        case _:
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip() and not line.lstrip().startswith(("#", "--")):
                    yield Query(str(path), f"line {number}", line.strip())


def _nested(file: str, value: Any, name: str) -> Iterator[Query]:
    """Yield every text under a field of queries, by the nearest title, alert or record above."""
    if isinstance(value, list):
        for member in value:
            yield from _nested(file, member, name)
    elif isinstance(value, dict):
        titles = (value.get(field) for field in ("title", "alert", "record", "name"))
        name = next((title for title in titles if isinstance(title, str) and title), name)
        for field, member in value.items():
            if field in _FIELDS and isinstance(member, str) and re.search(r"\w", member):
                yield Query(file, name or field, member)
            else:
                yield from _nested(file, member, name)
