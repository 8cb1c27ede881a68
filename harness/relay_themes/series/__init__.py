"""Where deltas become series: names as Prometheus has them, and sums that must not change."""
