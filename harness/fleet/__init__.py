"""Judge recorded production data: captures that people made with their own Collector.

A capture has no ground truth and no requests, only items; so what it is judged by is what items
can show by themselves and together (:mod:`harness.fleet.rules`). It is read as a stream.
"""
