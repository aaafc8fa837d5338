"""Names that are looked up on first use, so that importing a package does not wait for what only some of it needs."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lookup(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A ``__getattr__`` for a package: from each of its late names to the module that it comes from."""

    def find(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(homes[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
