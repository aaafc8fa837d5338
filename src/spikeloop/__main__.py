"""``python -m spikeloop`` is the command line."""

import sys

from spikeloop.cli import main

sys.exit(main())
