"""pytest plugin: judges the telemetry of a ``claude`` binary (entry point ``cc-otel``)."""

from __future__ import annotations
