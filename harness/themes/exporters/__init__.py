"""Which exporters are used: opt-in, console, Prometheus, several at once."""
