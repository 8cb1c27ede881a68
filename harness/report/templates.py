"""The pages' templates: what is filled in is escaped, and nothing missing passes unnoticed."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from ..errors import printable


@cache
def template(name: str) -> Template:
    """Return the template called ``name``; those of all pages share ``parts.html.jinja``."""
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Names and values come from the process under test.
        finalize=_quoted,
    )
    return environment.get_template(name)


def _quoted(value: object) -> object:
    return printable(value) if type(value) is str and not isinstance(value, Markup) else value
