"""How a collector under test receives: every rule for an OTLP server, one probe each."""
