"""``python -m spikeloop.papers.bhargava2022 FOLDER`` runs the linear toy and writes what came out."""

import sys
from pathlib import Path

from spikeloop.errors import InvalidInput
from spikeloop.papers.bhargava2022.linear import main

if len(sys.argv) != 2:
    sys.exit(f"{(__doc__ or '').strip()}")
try:
    main(Path(sys.argv[1]))
except InvalidInput as error:
    sys.exit(f"spikeloop: {error}")
