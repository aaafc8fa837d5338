"""Where compiled programs are kept between calls of the command line."""

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """The folder of the persistent compilation cache; None if it cannot be made, and then there is no cache.

    ``SPIKELOOP_CACHE`` names another folder; empty, it turns the cache off.
    """
    named = os.environ.get("SPIKELOOP_CACHE")
    if named == "":
        return None
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else base / "spikeloop"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
