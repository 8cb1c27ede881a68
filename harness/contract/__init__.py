"""The contract as data: ``schemas/``, resolved for one version of the CLI."""
