"""The fake collector: OTLP/gRPC and OTLP/HTTP servers on loopback, with scriptable responses."""
