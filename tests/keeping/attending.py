"""Run a command as ``cc-harness run`` does, without judging it: a program for tests."""

from __future__ import annotations

import os
import signal
import sys

from harness.keeping.attended import attend
from harness.keeping.signals import ending_in_order

# Whoever runs the tests in the background has it ignored, and so would we.
signal.signal(signal.SIGINT, signal.default_int_handler)
with ending_in_order():
    try:
        ended = attend(sys.argv[1:], os.environ)
    except KeyboardInterrupt as error:
        sys.exit(f"told to end: {error}")
sys.stdout.write(f"ended {ended.code} left {ended.left}\n")
