"""Judge the telemetry of the ``claude`` CLI against its documented contract.

``__all__`` is what other people's tests may import, and it is to be imported from here:
``from pytest_cc_otel import Say, UseTool``.  Everything else is private, whatever its name.

A name is imported from its module when it is first asked for: having the package installed
must cost a foreign pytest session nothing (see ``benchmarks/plugin_import.py``).
"""

from __future__ import annotations

if __name__ == "harness":
    # The checkout is on sys.path.
    try:
        from _pytest_cc_otel_alias import stand_in
    except ImportError:
        pass
    else:
        stand_in(__path__[0])

# Of typing, which nobody is to wait for.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .capture.capture import Capture
    from .capture.export import Export
    from .capture.run import ApiCall, Decision, Failure, GroundTruth, Run, ToolRun
    from .collector.answer import CollectorResponse
    from .collector.collector import Collector
    from .collector.tls import Tls
    from .errors import DeadlineExceeded, HarnessError, SubjectError, UsageError
    from .fakes.script import CutOff, Fail, HangUp, Repeat, Say, Usage, UseTool
    from .otlp.model import (
        Attributes,
        DataPoint,
        Event,
        Metric,
        Protocol,
        Resource,
        Scope,
        Signal,
        Span,
    )
    from .plugin.session import ClaudeFactory, Session

__all__ = [
    "ApiCall",
    "Attributes",
    "Capture",
    "ClaudeFactory",
    "Collector",
    "CollectorResponse",
    "CutOff",
    "DataPoint",
    "DeadlineExceeded",
    "Decision",
    "Event",
    "Export",
    "Fail",
    "Failure",
    "GroundTruth",
    "HangUp",
    "HarnessError",
    "Metric",
    "Protocol",
    "Repeat",
    "Resource",
    "Run",
    "Say",
    "Scope",
    "Session",
    "Signal",
    "Span",
    "SubjectError",
    "Tls",
    "ToolRun",
    "Usage",
    "UsageError",
    "UseTool",
]

#: Where each of them is defined.
_MODULES = {
    ".capture.capture": ("Capture",),
    ".capture.export": ("Export",),
    ".capture.run": ("ApiCall", "Decision", "Failure", "GroundTruth", "Run", "ToolRun"),
    ".collector.answer": ("CollectorResponse",),
    ".collector.collector": ("Collector",),
    ".collector.tls": ("Tls",),
    ".errors": ("DeadlineExceeded", "HarnessError", "SubjectError", "UsageError"),
    ".fakes.script": ("CutOff", "Fail", "HangUp", "Repeat", "Say", "Usage", "UseTool"),
    ".otlp.model": (
        *("Attributes", "DataPoint", "Event", "Metric", "Protocol", "Resource", "Scope"),
        *("Signal", "Span"),
    ),
    ".plugin.session": ("ClaudeFactory", "Session"),
}


if not TYPE_CHECKING:  # with it, a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Import a public name from the module that defines it."""
        import importlib

        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(module, __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
