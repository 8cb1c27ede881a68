"""A collector that people watch: what arrives, as lines, as JSON and as a page."""
