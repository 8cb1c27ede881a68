"""The choice of exporters: opt-in, console, Prometheus, several at once."""
