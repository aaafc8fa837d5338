"""Where a result came from: command, commit, versions, hardware, time."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("spikeloop", "jax", "jaxlib", "equinox", "optax", "gymnax", "gymnasium", "numpy", "scipy")


def provenance() -> dict[str, Any]:
    """What a result file records of how it was made. Names no path of the machine."""
    import jax

    return {
        "command": " ".join([_program(), *(_without_folder(word) for word in sys.argv[1:])]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "hardware": {
            "processor": processor(),
            "cores": cores(),
            "devices": [device.device_kind for device in jax.devices()],
            "platform": f"{platform.system()} {platform.machine()}",
        },
    }


def cores() -> int:
    """CPU cores that this process may use, which may be fewer than the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def commit() -> str:
    """The commit of the library's checkout, with ``+changes`` where the work tree differs; "release" outside of one."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        if not git("ls-files", "__init__.py"):
            return "release"
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "-uno", "--", str(folder)) else ""
        )
    except (OSError, subprocess.SubprocessError):
        return "release"


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _program():
    path = Path(sys.argv[0])
    if path.name != "__main__.py":
        return path.name
    package = path.parent.parts
    while "spikeloop" in package[1:]:  # a checkout may lie in a folder of the same name
        package = package[1:]
    return f"python -m {'.'.join(package) if package[0] == 'spikeloop' else path.parent.name}"


def _without_folder(word):
    # An absolute path says nothing to others, and too much about its owner.
    return re.sub(r"(^|=)/\S*/", r"\1", word)


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
