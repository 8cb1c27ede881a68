"""Build the OpenTelemetry Collector that tests put under test, once for each user.

``otelcol/go.mod`` lists its components; ``main.go`` is made of that list. Run as a program, this
builds it, for tests that need it later; with the argument ``lock`` it writes ``go.mod`` and
``go.sum`` again, after a change of the components.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock

from harness.keeping import folders
from harness.keeping.cells import Cell, Kept
from harness.subject import process
from harness.subject.npm import default_cache_dir

MODULE = Path(__file__).with_name("otelcol")
NAME = "otelcol-cc"
#: Minutes of work of two cores, and what is downloaded; machines are slow and busy.
BUILD_DEADLINE_S = 3000.0
#: Without symbols and what debuggers read, which nobody uses here: less to compile and to link.
_BUILD = ("build", "-trimpath", "-ldflags=-s -w", "-gcflags=all=-dwarf=false", "-o", NAME, ".")
#: How Go says that it cannot reach the module proxy.
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|connection refused|i/o timeout|TLS handshake timeout|"
    r"network is unreachable|module lookup disabled"
)
#: How Go says that it is too old for go.mod, in the words of its own releases.
_TOO_OLD = re.compile(r"requires go >=|maximum supported version|invalid go version")
_KEY_LENGTH = 12

_KINDS = ("extension", "receiver", "processor", "exporter", "connector")
_COMPONENT = re.compile(
    rf"^\t(\S+/(?:({'|'.join(_KINDS)})|confmap/provider)/(?:\S+/)?(\w+)) (v\S+)$", re.MULTILINE
)
_MAIN = """\
package main

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

{imports}
)

func main() {{
	resolver := confmap.ResolverSettings{{
		ProviderFactories: []confmap.ProviderFactory{{{providers}}},
	}}
	command := otelcol.NewCommand(otelcol.CollectorSettings{{
		BuildInfo: component.BuildInfo{{Command: "{name}", Version: "{release}"}},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{{ResolverSettings: resolver}},
	}})
	if err := command.Execute(); err != nil {{
		log.Fatal(err)
	}}
}}

func factories() (otelcol.Factories, error) {{
	var err error
	made := otelcol.Factories{{Telemetry: otelconftelemetry.NewFactory()}}
{factories}
	return made, nil
}}
"""
_FACTORIES = """\
	if made.{kind}s, err = otelcol.MakeFactoryMap[{package}.Factory]({made}); err != nil {{
		return made, err
	}}"""


class NoCollectorError(Exception):
    """The collector cannot be had on this machine; the message says what is missing."""


def built(progress: Callable[[str], None]) -> Path:
    """Return the collector, built if nobody has built it yet.

    Whoever comes while it is being built waits; a build that is broken off leaves nothing.
    Raises NoCollectorError without Go or a module proxy, and RuntimeError for a build that fails.
    """
    folder = _folder()
    binary = folder / NAME
    if binary.exists():
        return binary
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress(f"waiting for another process to build {NAME}")
        lock.acquire(timeout=BUILD_DEADLINE_S)
    try:
        if not binary.exists():
            _build(folder, progress)
    finally:
        lock.release()
    return binary


@dataclass(frozen=True, slots=True)
class Building:
    """A process that builds, in a cell of its own."""

    cell: Cell
    process: Kept


def begin(log: Path) -> Building | None:
    """Start to build the collector in a process of its own, if it is not there and can be built.

    :func:`end` ends it.
    """
    try:
        if (_folder() / NAME).exists():
            return None
    except NoCollectorError:
        return None
    cell = Cell()
    with log.open("wb") as out:
        argv, said = [sys.executable, __file__], out.fileno()
        built_by = cell.start(argv, cwd=Path.cwd(), env=os.environ, stdout=said, stderr=said)
    return Building(cell, built_by)


def end(building: Building) -> None:
    """End what :func:`begin` started, if it is still at work: nobody needs it any more."""
    if not building.process.ended():
        os.kill(building.process.pid, signal.SIGTERM)
        process.wait(building.process, 10.0)
    process.kill_group(building.process)
    building.cell.end()


def components() -> Sequence[tuple[str, str, str]]:
    """Return path, kind and version of each component; the kind of a provider is empty."""
    text = (MODULE / "go.mod").read_text(encoding="utf-8")
    return [(path, kind, version) for path, kind, _, version in _COMPONENT.findall(text)]


def main_go() -> str:
    """Return the program: the collector's command, with the components that are required."""
    names = {path: f"c{number}" for number, (path, _, _) in enumerate(components())}

    def made(wanted: str) -> str:
        return ", ".join(
            f"{names[path]}.NewFactory()" for path, kind, _ in components() if kind == wanted
        )

    return _MAIN.format(
        name=NAME,
        release=release().removeprefix("v"),
        imports="\n".join(f'\t{name} "{path}"' for path, name in names.items()),
        providers=made(""),
        factories="\n".join(
            _FACTORIES.format(kind=kind.title(), package=kind, made=made(kind)) for kind in _KINDS
        ),
    )


def lock(progress: Callable[[str], None]) -> None:
    """Write ``go.mod`` and ``go.sum`` as the required components need them."""
    with tempfile.TemporaryDirectory(prefix="cc-otel-otelcol-") as folder:
        scratch = _sources(Path(folder))
        _run(["mod", "tidy"], scratch, progress)
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(scratch / name, MODULE / name)


def _build(folder: Path, progress: Callable[[str], None]) -> None:
    began = time.monotonic()
    progress(f"building the OpenTelemetry Collector {release()} into {folder} (once, some minutes)")
    with folders.unfinished(f"{folder.name}.part-", folder.parent) as scratch:
        module = _sources(scratch / "module")
        _run(_BUILD, module, progress)
        module.rename(folder)
    progress(f"built the OpenTelemetry Collector in {time.monotonic() - began:.0f} s")


def _sources(folder: Path) -> Path:
    shutil.copytree(MODULE, folder, dirs_exist_ok=True)
    (folder / "main.go").write_text(main_go(), encoding="utf-8")
    return folder


def _run(arguments: Sequence[str], module: Path, progress: Callable[[str], None]) -> None:
    nice = shutil.which("nice")
    argv = [_go(), *arguments]
    done = process.run(
        [nice, "-n", "10", *argv] if nice else argv,
        cwd=module,
        env=_environment(),
        output_dir=module,
        deadline_s=BUILD_DEADLINE_S,
        while_waiting=lambda seconds: progress(f"go {arguments[0]} is at work, {seconds:.0f} s"),
    )
    if done.exit_code != 0:
        said = f"{' '.join(argv)} ended with {done.exit_code}:\n{done.last_output}"
        if _UNREACHABLE.search(done.last_output):
            raise NoCollectorError(f"Go cannot fetch the collector's modules; {said}")
        if _TOO_OLD.search(done.last_output):
            raise NoCollectorError(f"the Go toolchain is too old for the collector; {said}")
        raise RuntimeError(said)


def _environment() -> Mapping[str, str]:
    flags = os.environ.get("GOFLAGS", "")
    return {
        **os.environ,
        "HOME": os.environ.get("HOME") or str(Path.home()),
        "GOWORK": "off",
        # No C compiler is needed, and nothing is compiled by one.
        "CGO_ENABLED": "0",
        # The scratch folder may lie within some repository that is not ours.
        "GOFLAGS": f"{flags} -buildvcs=false".strip(),
    }


def _folder() -> Path:
    """Return the place in the user's cache for these sources, toolchain and platform."""
    sources = main_go() + "".join(
        (MODULE / name).read_text(encoding="utf-8") for name in ("go.mod", "go.sum")
    )
    digest = hashlib.sha256(f"{_BUILD} {sources}".encode()).hexdigest()[:_KEY_LENGTH]
    where = f"{sys.platform}-{platform.machine().lower()}"
    return default_cache_dir() / "otelcol" / f"{release()}-{digest}-{_go_version(_go())}-{where}"


def release() -> str:
    """Return the release of the components."""
    (release,) = {version for path, _, version in components() if path.endswith("/otlpreceiver")}
    return release


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise NoCollectorError("no Go toolchain on PATH (https://go.dev)")
    return go


@functools.cache
def _go_version(go: str) -> str:
    asked = [go, "env", "GOVERSION"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def _main(arguments: Sequence[str]) -> None:
    # Ends by an exception, so that Go and what it has made go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before it was built"))

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201

    if arguments == ["lock"]:
        lock(say)
    else:
        built(say)


if __name__ == "__main__":
    _main(sys.argv[1:])
