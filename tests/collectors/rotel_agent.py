"""Find the agent that PyPI's package rotel brings, and how it is started."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

#: The newest Python for which there is a wheel.
NEWEST_PYTHON = (3, 13)
_COMMON = (
    "start --pid-file {folder}/rotel.pid --log-file {folder}/rotel.log --batch-timeout 50ms "
    "--otlp-grpc-endpoint {grpc_in} --otlp-http-endpoint {http_in} --exporter otlp "
)
#: What follows the program in its command, by the protocol in which it sends what it was sent.
ARGUMENTS: Mapping[str, str] = {
    "grpc": f"{_COMMON} --otlp-exporter-endpoint http://{{grpc_out}} --otlp-exporter-protocol grpc",
    "http": f"{_COMMON} --otlp-exporter-endpoint {{http_out}} --otlp-exporter-protocol http",
}


def command(agent: Path, protocol: str) -> str:
    """Return the command that starts the agent, with the places that the harness fills in."""
    return f"{agent} {ARGUMENTS[protocol]}"


def found(scratch: Path) -> Path | None:
    """Return the agent as a program, from ``scratch`` if what is installed may not be run."""
    spec = importlib.util.find_spec("rotel")
    if spec is None or spec.origin is None:
        return None
    agent = Path(spec.origin).with_name("rotel-agent")
    if shutil.which(agent):
        return agent
    copy = scratch / agent.name
    shutil.copyfile(agent, copy)
    copy.chmod(0o755)
    return copy


def installable() -> bool:
    """Say whether there is a wheel of it for this Python."""
    return sys.version_info[:2] <= NEWEST_PYTHON
