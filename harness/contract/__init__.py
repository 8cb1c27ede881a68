"""The contract as data: ``schemas/`` resolved for one CLI version, and the catalogue."""
