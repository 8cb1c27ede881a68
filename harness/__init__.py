"""Judge the telemetry of the ``claude`` CLI against its documented contract.

Nothing is imported here: installing the package must cost a foreign pytest
session nothing (see ``benchmarks/plugin_import.py``).
"""
