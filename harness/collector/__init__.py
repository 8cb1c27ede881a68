"""The fake collector: OTLP/gRPC and OTLP/HTTP on loopback, scripted answers."""
