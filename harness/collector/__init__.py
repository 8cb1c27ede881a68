"""The fake collector: OTLP/gRPC and OTLP/HTTP on loopback, scripted answers."""

from __future__ import annotations

from harness.collector.answer import CollectorResponse, Responder
from harness.collector.collector import Collector
from harness.collector.tls import Tls

__all__ = ["Collector", "CollectorResponse", "Responder", "Tls"]
