"""Judge the telemetry of the ``claude`` CLI against its documented contract.

``__all__`` is what other people's tests may import, and it is to be imported from here:
``from harness import Say, UseTool``.  Everything else is private, whatever its name.

A name is imported from its module when it is first asked for: having the package installed
must cost a foreign pytest session nothing (see ``benchmarks/plugin_import.py``).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.capture.capture import Capture
    from harness.capture.export import Export
    from harness.capture.run import ApiCall, Decision, Failure, GroundTruth, Run, ToolRun
    from harness.collector.answer import CollectorResponse
    from harness.collector.collector import Collector
    from harness.collector.tls import Tls
    from harness.errors import DeadlineExceeded, HarnessError, SubjectError, UsageError
    from harness.fakes.script import CutOff, Fail, HangUp, Repeat, Say, Usage, UseTool
    from harness.otlp.model import (
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
    from harness.plugin.session import ClaudeFactory, Session

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
    "harness.capture.capture": ("Capture",),
    "harness.capture.export": ("Export",),
    "harness.capture.run": ("ApiCall", "Decision", "Failure", "GroundTruth", "Run", "ToolRun"),
    "harness.collector.answer": ("CollectorResponse",),
    "harness.collector.collector": ("Collector",),
    "harness.collector.tls": ("Tls",),
    "harness.errors": ("DeadlineExceeded", "HarnessError", "SubjectError", "UsageError"),
    "harness.fakes.script": ("CutOff", "Fail", "HangUp", "Repeat", "Say", "Usage", "UseTool"),
    "harness.otlp.model": (
        *("Attributes", "DataPoint", "Event", "Metric", "Protocol", "Resource", "Scope"),
        *("Signal", "Span"),
    ),
    "harness.plugin.session": ("ClaudeFactory", "Session"),
}


if not TYPE_CHECKING:  # with it, a type checker would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Import a public name from the module that defines it."""
        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(module), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
