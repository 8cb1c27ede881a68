"""Processes that behave like the conforming emitter, but for one lie."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from ..subject.binary import Binary

#: What a liar about OTEL_RESOURCE_ATTRIBUTES does before the emitter takes over, by what it
#: then does.
ABOUT_ATTRIBUTES: Mapping[str, str] = {
    "does not decode": """
from ..reference import custom_attributes as reading
reading.decoded = lambda value: value
""",
    "decodes twice": """
from ..reference import custom_attributes as reading
once = reading.decoded
reading.decoded = lambda value: once(once(value))
""",
    "splits at the last equals sign": """
from ..reference import custom_attributes as reading
reading.pair = lambda member: (lambda key, _, value: (key, value))(*member.rpartition('='))
""",
    "trims what it decoded": """
from ..reference import custom_attributes as reading
whole = reading.decoded
reading.decoded = lambda value: whole(value).strip()
""",
    "drops all after an error": """
from ..reference import session
from ..reference import custom_attributes as reading
def until_an_error(environ):
    found = {}
    for member in environ.get('OTEL_RESOURCE_ATTRIBUTES', '').split(','):
        try:
            found |= [reading.pair(member)]
        except ValueError:
            break
    return found
session.custom_attributes = until_an_error
""",
    "keeps all after an error": """
from ..reference import custom_attributes as reading
strict = reading.pair
def lenient(member):
    try:
        return strict(member)
    except ValueError:
        key, _, value = member.partition('=')
        return key, value
reading.pair = lenient
""",
    "overrides service.name": """
from ..reference import telemetry
from opentelemetry.sdk.resources import Resource
described = telemetry.resource
telemetry.resource = lambda version, custom: Resource(
    {**described(version, custom).attributes, **custom}
)
""",
    "writes keys in lower case": """
from ..reference import custom_attributes as reading
exact = reading.pair
reading.pair = lambda member: (lambda key, value: (key.lower(), value))(*exact(member))
""",
    "loses attributes on events": """
from ..reference import telemetry
from opentelemetry.sdk.resources import Resource
whole = telemetry.LoggerProvider
def bare(resource, **options):
    own = {key: value for key, value in resource.attributes.items()
           if key.startswith(('service.', 'os.', 'host.'))}
    return whole(Resource(own), **options)
telemetry.LoggerProvider = bare
""",
}

#: The same for other drawn input, each with a promise that it breaks.
ABOUT_OTHERS: Mapping[str, tuple[str, str]] = {
    "measures prompts in bytes": (
        "events.user_prompt.prompt_length.counted",
        """
from ..reference import facts
facts.length = lambda text: len(text.encode())
""",
    ),
    "shows prompts with line breaks": (
        "privacy.prompt",
        """
from ..reference.facts import Reporter
record = Reporter._record
prompt = Reporter.prompt
def noted(self, text):
    self.noted = text if '\\n' in text else ''
    prompt(self, text)
Reporter.prompt = noted
Reporter._record = lambda self, event, fields: record(self, event, {**fields, 'note': self.noted})
""",
    ),
    "does not decode headers": (
        "static_headers.percent_decoded.grpc",
        """
from ..reference import exporters
decoding = exporters.parse_env_headers
exporters.parse_env_headers = lambda text, **how: decoding(text.replace('%', '%25'), **how)
""",
    ),
    "cuts headers at the last equals sign": (
        "static_headers.equals_in_value",
        """
from ..reference import exporters
whole = exporters.parse_env_headers
exporters.parse_env_headers = lambda text, **how: {
    name: value.rpartition('=')[2] for name, value in whole(text, **how).items()
}
""",
    ),
}


def liar(lie: str, release: str, folder: Path) -> Binary:
    """Make a subject: the emitter of ``release``, which first executes ``lie``, Python code.

    The program is a file that is written to ``folder``.
    """
    path = folder / "liar.py"
    package = __name__.partition(".")[0]
    absolute = lie.replace("from ..", f"from {package}.")
    path.write_text(
        f"import os, sys\n{absolute}\nfrom {package}.themes.emitter import main\n"
        f"sys.exit(main(['--emulate', '{release}', *sys.argv[1:]]))\n",
        encoding="utf-8",
    )
    return Binary("liar", (sys.executable, str(path)), str(path), release)
