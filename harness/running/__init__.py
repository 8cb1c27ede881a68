"""Run scenarios against the fakes, whatever their theme."""
