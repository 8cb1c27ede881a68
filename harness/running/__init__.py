"""The machinery that runs scenarios against the fakes; no theme is in it."""
