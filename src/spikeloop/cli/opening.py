"""What several commands share: the run that they are given, and where what they make goes."""

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from rich.console import Console

from spikeloop.errors import InvalidInput
from spikeloop.ready_made import is_ready_made, locate
from spikeloop.run import Run


def open_run(path: str, options: argparse.Namespace) -> Run:
    """The run at a path, its own components loaded. Raises InvalidInput if there is none."""
    load_components(options)
    return Run.open(locate(path))


def beside(opened: Run, name: str) -> Path:
    """Where a command puts its file by default: into the run; for a ready-made one into the current directory."""
    return Path(f"{opened.name.replace('/', '-')}-{name}") if is_ready_made(opened.path) else opened.path / name


def free_path(path: Path) -> Path:
    """The path, or the first of path-2, path-3, ... that does not exist."""
    candidates = [path, *(path.with_name(f"{path.name}-{n}") for n in range(2, 10_000))]
    return next(candidate for candidate in candidates if not candidate.exists())


def make_console() -> Console:
    """Where tables and progress go."""
    # What is not a terminal has no width: wide enough for every table, and no line is broken.
    return Console() if sys.stdout.isatty() else Console(width=132, soft_wrap=True)


def load_components(options: argparse.Namespace) -> None:
    """Load the file of --file, whose components a run may need."""
    if options.file:
        load_file(Path(options.file))


def load_file(path: Path) -> ModuleType:
    """A Python file as a module of its own, loaded once. Raises InvalidInput if it is none."""
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist")
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    if not path.stem.isidentifier() or loaded is not None or importlib.util.find_spec(path.stem) is not None:
        raise InvalidInput(f"{path}: {path.stem!r} cannot name a module of its own; call the file something else")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
